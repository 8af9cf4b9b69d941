import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorkspaces } from '../../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import type { Build } from '../../../src/machine/build.ts';
import { type FakeModel, type ModelCallSeen, startFakeModel } from '../../fakes/model.ts';
import { apply, start } from '../../machine/sample-builds.ts';
import { blockUnder, headingsOf } from '../../prompts/read-sections.ts';
import { PASSED_RUN, workOn } from './phase-worker.ts';

let dir: string;
let model: FakeModel;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shown-files-'));
  model = await startFakeModel();
});
afterEach(async () => {
  await model.stop();
  await rm(dir, { recursive: true, force: true });
});

const file = (path: string, content: string) => ({ path, content });
const SMALL = [file('README.md', '# Doubling\n'), file('lib/halve.js', 'export const halve = (n) => n / 2;\n')];
const LARGE = [
  ...SMALL,
  file('lib/tokenizer.js', `// ${'t'.repeat(60_000)}\n`),
  ...Array.from({ length: 300 }, (_, n) => file(`lib/parts/part-${n}.js`, `// ${'p'.repeat(2000)}\n`)),
];

/** A build that begins with existing code, in discovery. */
async function begunWith(files: readonly { path: string; content: string }[]): Promise<Build> {
  const requirements = { kind: 'inline', value: 'make the tokenizer of halve.js double' } as const;
  const source = { kind: 'path', path: '/code', ref: null } as const;
  const build = start({ requirements, source });
  const store = createFolderStore(join(dir, 'artifacts'));
  const workspaces = createWorkspaces({ rootDir: join(dir, 'workspaces'), store });
  const { commit, tree, bundle } = await workspaces.commitAttempt({
    workflowId: build.spec.workflowId,
    base: null,
    advanceTo: null,
    attempt: { phase: 'source', attempt: 1, epoch: 0, run: 1 },
    files,
    author: 'operator',
    message: 'existing code',
    trailers: {},
    atMs: build.createdAtMs,
    signal: new AbortController().signal,
  });
  return apply(build, { type: 'source_opened', commit: { commit, tree, bundle }, work: { activeMs: 1, calls: [] } })
    .build;
}

const work = (build: Build): Promise<Build> =>
  workOn(build, { dir, providers: { simulated: { baseUrl: model.baseUrl } }, measured: () => PASSED_RUN });
const callOf = (phase: string): ModelCallSeen => {
  const found = model.calls.find((call) => call.phase === phase);
  if (found === undefined) throw new Error(`${phase} was not asked`);
  return found;
};

describe('a build that begins with existing code', () => {
  it('shows it whole where it fits, in discovery and planning as well, where more may be read too', async () => {
    await work(await work(await begunWith(SMALL)));
    for (const phase of ['discovery', 'planning']) {
      const { prompt, tools } = callOf(phase);
      expect(blockUnder(prompt, '### lib/halve.js')).toBe(SMALL[1]?.content.trim());
      expect(headingsOf(prompt)).not.toContain('## Tree');
      expect(tools).toContain('read_files');
    }
  });

  it('shows what matters of a large one, and names the rest', async () => {
    await work(await begunWith(LARGE));
    const { prompt } = callOf('discovery');
    const shown = headingsOf(prompt).filter((heading) => heading.startsWith('### '));
    expect(shown).toEqual(expect.arrayContaining(['### README.md', '### lib/halve.js', '### lib/tokenizer.js']));
    expect(shown.length).toBeLessThan(40);
    expect(prompt).toMatch(/The project has 303 files, \d+ bytes in all; \d\d of them are shown/);
    expect(blockUnder(prompt, '## Tree')).toContain('lib/tokenizer.js (60004 bytes)');
    expect(prompt.length).toBeLessThan(160_000);
  });
});

it('a build without existing code shows none before its implementation, and offers no tools', async () => {
  await work(await work(start()));
  for (const phase of ['discovery', 'planning']) {
    expect(headingsOf(callOf(phase).prompt)).not.toContain('## Files');
    expect(callOf(phase).tools).toEqual([]);
  }
});
