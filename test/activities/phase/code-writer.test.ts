import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TestReport } from '../../../src/activities/sandbox/report.ts';
import { createWorkspaces } from '../../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import { loadContent } from '../../../src/artifacts/contents.ts';
import type { Build } from '../../../src/machine/build.ts';
import type { JsonObject } from '../../../src/machine/json.ts';
import { contentOf } from '../../../src/machine/snapshot.ts';
import { ANSWERS, type FakeModel, type ModelCallSeen, startFakeModel } from '../../fakes/model.ts';
import { buildIn } from '../../machine/sample-builds.ts';
import { PASSED_RUN, workOn } from './phase-worker.ts';

const FAILED_RUN: TestReport = {
  ...PASSED_RUN,
  passed: false,
  failures: [{ name: 'doubles', reason: 'expected 4, got 5' }],
};
const SOURCE = 'export const double = (n) => n * 2;\n';

let dir: string;
let model: FakeModel;
/** What the runs of the code writer say, in order; the last one says it for all that follow. */
let runs: TestReport[];
let tested: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'code-writer-'));
  model = await startFakeModel();
  runs = [PASSED_RUN];
  tested = [];
});
afterEach(async () => {
  await model.stop();
  await rm(dir, { recursive: true, force: true });
});

const work = (build: Build, by: 'simulated' | 'openai' = 'simulated'): Promise<Build> => {
  const { baseUrl } = model;
  const providers = by === 'simulated' ? { simulated: { baseUrl } } : { openai: { apiKey: 'key', baseUrl } };
  const measured = (commit: string): TestReport => {
    tested.push(commit);
    return runs[Math.min(tested.length, runs.length) - 1] ?? PASSED_RUN;
  };
  return workOn(build, { dir, providers, measured });
};

/** A build that is sent back, with the files of the usual answer in its tree. */
async function sentBack(): Promise<Build> {
  model.answer('testing', { ...ANSWERS.testing, all_tests_passed: false, reason: 'double(0.5) is wrong' });
  const build = await work(await work(buildIn('implementation')));
  expect(build.position).toMatchObject({ state: 'implementation' });
  tested = [];
  return build;
}

/** Gives each answer in turn; past the last one, the last one. */
function answering(...answers: readonly unknown[]): void {
  let next = 0;
  model.answer('implementation', () => answers[Math.min(next++, answers.length - 1)]);
}

const notes = { test_cases: [], documentation: 'README.md', technical_notes: 'none' };
const editing = (search: string, replace: string, more: object = {}): object => ({
  ...notes,
  edits: [{ path: 'src/double.js', search, replace }],
  ...more,
});

async function treeOf({ head, spec }: Build): Promise<Record<string, string>> {
  const store = createFolderStore(join(dir, 'artifacts'));
  const workspaces = createWorkspaces({ rootDir: join(dir, 'workspaces'), store });
  const { signal } = new AbortController();
  const at = { workflowId: spec.workflowId, commit: head?.commit ?? '', signal };
  const { files } = await workspaces.readFiles({ ...at, limitBytes: 1_000_000 });
  return Object.fromEntries(files.map(({ path, content }) => [path, content]));
}

async function resultOf({ results }: Build): Promise<JsonObject> {
  const result = results.implementation;
  if (result === undefined) throw new Error('there is no implementation');
  return (await loadContent(createFolderStore(join(dir, 'artifacts')), contentOf(result))) as JsonObject;
}

const calls = (): ModelCallSeen[] =>
  model.calls.filter(({ phase, attempt }) => phase === 'implementation' && attempt > 0);
const lastWords = (): string[] => calls().map(({ messages }) => messages.at(-1) ?? '');

describe('an answer of edits and deletions', () => {
  it('becomes whole files on the tree, and the result has both', async () => {
    const build = await sentBack();
    answering(editing('n * 2', '2 * n', { deleted_files: ['package.json'] }));
    const coded = await work(build);
    expect(await treeOf(coded)).toEqual({
      'src/double.js': 'export const double = (n) => 2 * n;\n',
      'test/double.test.js': expect.stringContaining('doubles'),
    });
    expect(await resultOf(coded)).toMatchObject({
      files: [{ path: 'src/double.js', content: 'export const double = (n) => 2 * n;\n' }],
      edits: [{ path: 'src/double.js', search: 'n * 2', replace: '2 * n' }],
      deleted_files: ['package.json'],
      self_test: { rounds: 1, passed: true },
      summary: '1 files, 1 deleted (own test run passed): src/double.js',
    });
  });

  it('that does not fit is told why, and is mended in the same attempt', async () => {
    const build = await sentBack();
    answering(editing('n ** 2', 'x'), editing('n * 2', 'n + n'));
    const coded = await work(build);
    expect(lastWords().at(-1)).toMatch(/"src\/double.js": `search` is not in the file; .*line is 1: .*n \* 2/);
    expect((await treeOf(coded))['src/double.js']).toBe('export const double = (n) => n + n;\n');
  });

  it.each([
    ['a file that would stand beside one of another spelling', { files: [{ path: 'SRC/double.js', content: '' }] }],
    ['a deletion of what is not there', { files: [{ path: 'a.js', content: '' }], deleted_files: ['b.js'] }],
    ['a path that leads out', { files: [{ path: '../a.js', content: '' }] }],
    ['an edit of a file that is not there', { edits: [{ path: '/etc/passwd', search: 'root', replace: '' }] }],
  ])('with %s is refused before anything is committed', async (_, answer) => {
    const build = await sentBack();
    answering({ ...notes, ...answer }, editing('n * 2', 'n + n'));
    await work(build);
    expect(lastWords().at(-1)).toMatch(/^Your last answer was refused: \/(files|deleted_files|edits)\/0/);
  });

  it('with neither files nor edits is refused', async () => {
    answering({ ...notes, files: [] }, ANSWERS.implementation);
    await work(buildIn('implementation'));
    expect(lastWords().at(-1)).toContain('files or edits must be given');
  });
});

describe('the run of its own tests', () => {
  it('is shown to the code writer when it fails, and the correction is committed in its place', async () => {
    runs = [FAILED_RUN, PASSED_RUN];
    answering(ANSWERS.implementation, { edits: [{ path: 'src/double.js', search: 'n * 2', replace: 'n + n' }] });
    const coded = await work(buildIn('implementation'));
    const [, told = ''] = lastWords();
    expect(told).toMatch(/^## Test run of your files\n```json\n/);
    expect(told).toContain('expected 4, got 5');
    expect(calls()[1]?.messages.at(-2)).toContain('export const double');
    expect((await treeOf(coded))['src/double.js']).toBe('export const double = (n) => n + n;\n');
    expect(tested).toHaveLength(2);
    expect(tested.at(-1)).toBe(coded.head?.commit);
    expect(await resultOf(coded)).toMatchObject({
      documentation: 'double(n)',
      self_test: { rounds: 2, passed: true, failures: [] },
    });
    expect((await resultOf(coded)).files).toHaveLength(3);
  });

  it('goes on from what the correction before left, also where that added and took away files', async () => {
    runs = [FAILED_RUN, FAILED_RUN, PASSED_RUN];
    answering(
      ANSWERS.implementation,
      { files: [{ path: 'src/more.js', content: 'one\ntwo\n' }], deleted_files: ['package.json'] },
      {
        edits: [{ path: 'src/more.js', search: 'two', replace: '2' }],
        files: [{ path: 'package.json', content: '{}' }],
        deleted_files: ['src/double.js'],
      },
    );
    const coded = await work(buildIn('implementation'));
    const tree = await treeOf(coded);
    expect(tree).toMatchObject({ 'src/more.js': 'one\n2\n', 'package.json': '{}' });
    expect(tree).not.toHaveProperty(['src/double.js']);
    expect(await resultOf(coded)).not.toHaveProperty('deleted_files');
  });

  it('is shown at most twice; then the work is handed over as it is', async () => {
    runs = [FAILED_RUN];
    let round = 0;
    model.answer('implementation', () => ({
      ...ANSWERS.implementation,
      files: [{ path: 'src/double.js', content: `// ${round++}\n${SOURCE}` }],
    }));
    const coded = await work(buildIn('implementation'));
    expect(calls()).toHaveLength(3);
    expect(tested).toHaveLength(3);
    expect((await treeOf(coded))['src/double.js']).toBe(`// 2\n${SOURCE}`);
    expect(await resultOf(coded)).toMatchObject({ self_test: { rounds: 3, passed: false, failures: ['doubles'] } });
  });

  it.each([
    ['the same files again', ANSWERS.implementation],
    ['no files at all', { technical_notes: 'the test is right, the machine is not' }],
  ])('is not shown again after an answer with %s', async (_, again) => {
    runs = [FAILED_RUN];
    answering(ANSWERS.implementation, again);
    const coded = await work(buildIn('implementation'));
    expect(calls()).toHaveLength(2);
    expect(tested).toEqual([coded.head?.commit]);
    expect(await resultOf(coded)).toMatchObject({ ...again, self_test: { rounds: 1, passed: false } });
  });

  it('is shown when it covers too little', async () => {
    runs = [{ ...PASSED_RUN, coverage: 50 }, PASSED_RUN];
    answering(ANSWERS.implementation, { edits: [{ path: 'src/double.js', search: 'n * 2', replace: 'n + n' }] });
    await work(buildIn('implementation'));
    expect(lastWords()[1]).toContain('cover only 50 % of the lines; the build demands 80 %');
  });

  it('counts for the work so far where no usable correction comes', async () => {
    runs = [FAILED_RUN];
    answering(ANSWERS.implementation, 'I cannot.');
    const coded = await work(buildIn('implementation'));
    expect(calls()).toHaveLength(3);
    expect((await treeOf(coded))['src/double.js']).toBe(SOURCE);
    expect(await resultOf(coded)).toMatchObject({ self_test: { rounds: 1, passed: false } });
  });

  it('is not made of what a real provider wrote, where there is no sandbox', async () => {
    runs = [FAILED_RUN];
    const coded = await work(buildIn('implementation'), 'openai');
    expect(tested).toEqual([]);
    expect(await resultOf(coded)).not.toHaveProperty('self_test');
  });
});

describe('more files than the prompt shows', () => {
  const reading = (name: string, args: unknown) => ({ tool_calls: [{ name, arguments: args }] });

  it('are read on request, and then the answer counts', async () => {
    const build = await sentBack();
    answering(reading('read_files', { paths: ['src/double.js', '../x'] }), editing('n * 2', 'n + n'));
    const coded = await work(build);
    expect(calls().at(-1)?.tools).toEqual(['read_files', 'list_files', 'search_text']);
    const [told = ''] = lastWords().slice(-1);
    expect(told).toContain(`### src/double.js (whole)\n\`\`\`\n${SOURCE}`);
    expect(told).toContain('### ../x\nis no file of the project');
    expect((await treeOf(coded))['src/double.js']).toContain('n + n');
  });

  it.each([
    ['an unknown tool', reading('run_shell', { command: 'ls' }), 'there is no tool "run_shell"'],
    ['no JSON', reading('read_files', '{"paths": ['), 'the arguments are not a JSON object'],
    ['paths that are none', reading('read_files', { paths: [1] }), '`paths` must be a list of at least one path'],
  ])('asked for with %s are not, and the model is told', async (_, asked, told) => {
    const build = await sentBack();
    answering(asked, editing('n * 2', 'n + n'));
    await work(build);
    expect(lastWords().at(-1)).toContain(`The call was not understood: ${told}`);
  });

  it('are read from the last candidate while its tests are mended', async () => {
    runs = [FAILED_RUN, PASSED_RUN];
    answering(ANSWERS.implementation, reading('search_text', { text: 'n * 2' }), {
      edits: [{ path: 'src/double.js', search: 'n * 2', replace: 'n + n' }],
    });
    await work(buildIn('implementation'));
    expect(calls()[0]?.tools).toEqual([]);
    expect(lastWords()[2]).toContain('src/double.js:1: export const double = (n) => n * 2;');
  });

  it('are not offered where the role judges', async () => {
    await sentBack();
    expect(model.calls.filter(({ phase }) => phase === 'testing').flatMap(({ tools }) => tools)).toEqual([]);
  });
});
