import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TestReport } from '../../../src/activities/sandbox/report.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import { loadPromptParts } from '../../../src/artifacts/contents.ts';
import type { Build } from '../../../src/machine/build.ts';
import { snapshotOf } from '../../../src/machine/snapshot.ts';
import { buildPrompt } from '../../../src/prompts/prompt.ts';
import { ANSWERS, type FakeModel, startFakeModel } from '../../fakes/model.ts';
import { buildIn } from '../../machine/sample-builds.ts';
import { measureOf, PASSED_RUN, workOn } from './phase-worker.ts';

let dir: string;
let model: FakeModel;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gate-'));
  model = await startFakeModel();
});
afterEach(async () => {
  await model.stop();
  await rm(dir, { recursive: true, force: true });
});

const FAILED_RUN: TestReport = {
  ...PASSED_RUN,
  passed: false,
  names: ['doubles', 'halves'],
  owed: ['halves'],
  failures: [{ name: 'halves', reason: 'expected 1 to be 2' }],
  exitCode: 1,
  output: 'the whole output',
};

/** The tests that each run was told to have, in order. */
const settings = (report: TestReport, required: (readonly string[])[] = []) => ({
  dir,
  providers: { simulated: { baseUrl: model.baseUrl } },
  measured: (_commit: string, demanded: readonly string[]) => {
    required.push(demanded);
    return report;
  },
});

const coded = (): Promise<Build> => workOn(buildIn('implementation'), settings(PASSED_RUN));

test('a role that says passed passes no run that failed, and the next prompt has each failure by name', async () => {
  const rejected = await workOn(await coded(), settings(FAILED_RUN));
  expect(rejected.position).toMatchObject({ state: 'implementation' });
  const store = createFolderStore(join(dir, 'artifacts'));
  const parts = await loadPromptParts(store, snapshotOf(rejected), 'implementation');
  const prompt = buildPrompt({ ...parts, driver: 'llm', files: null, tree: null, diff: null, testRun: null }).at(
    -1,
  )?.content;
  expect(prompt).toContain('halves: expected 1 to be 2');
  expect(prompt).toMatch(/"name": ?"halves"/);
});

test('tests that failed in the run which was sent back are demanded of the next runs', async () => {
  const rejected = await workOn(await coded(), settings(FAILED_RUN));
  const demanded: (readonly string[])[] = [];
  const again = await workOn(rejected, settings(PASSED_RUN, demanded));
  await workOn(again, settings(PASSED_RUN, demanded));
  expect(demanded.length).toBeGreaterThan(1);
  expect(demanded.every(([name]) => name === 'halves')).toBe(true);
});

test('coverage under the minimum does not pass, whatever the role says, and tells what no test reaches', async () => {
  const thin = { ...PASSED_RUN, coverage: 40, uncovered: ['src/double.js:3-9'] };
  const rejected = await workOn(await coded(), settings(thin));
  expect(rejected.position).toMatchObject({ state: 'implementation' });
  expect(rejected.feedback.at(-1)?.reason).toMatch(/coverage 40 % is under the minimum .*src\/double\.js:3-9/);
});

test('the whole report is kept beside the result, with all names and the output', async () => {
  const tested = await workOn(
    await coded(),
    settings({ ...PASSED_RUN, names: ['doubles'], output: 'the whole output' }),
  );
  const store = createFolderStore(join(dir, 'artifacts'));
  const { testing } = tested.results;
  const whole = testing?.full ? JSON.parse((await store.get(testing.full.sha256)).toString()) : testing?.data;
  const report = JSON.parse((await store.get(String(whole.test_report))).toString());
  expect(report).toMatchObject({ names: ['doubles'], output: 'the whole output', exitCode: 0, runner: 'node' });
});

test('a run without a sandbox is told as one, in the line of the audit and to an external tester', async () => {
  const build = await coded();
  const plain = { ...PASSED_RUN, sandbox: 'none' } as const;
  const tested = await workOn(build, settings(plain));
  expect(tested.results.testing?.data.summary).toContain('(measured, without a sandbox)');
  expect(await measureOf(build, settings(plain))).toMatchObject({ summary: 'all tests pass, run without a sandbox' });
  const held = await workOn(build, settings(PASSED_RUN));
  expect(held.results.testing?.data.summary).toContain('(measured)');
});

test('an external tester’s gate is the same: what failed, what is not covered, and the whole report', async () => {
  const build = await coded();
  const failed = await measureOf(build, settings(FAILED_RUN));
  expect(failed).toMatchObject({ passed: false, coverage: 100, summary: 'halves: expected 1 to be 2' });
  const thin = await measureOf(build, settings({ ...PASSED_RUN, coverage: 40, uncovered: ['src/double.js:3-9'] }));
  expect(thin).toMatchObject({ coverage: 40, summary: 'no test reaches src/double.js:3-9' });
  const store = createFolderStore(join(dir, 'artifacts'));
  const report = JSON.parse((await store.get(failed.full?.sha256 ?? '')).toString());
  expect(report).toMatchObject({ owed: ['halves'], output: 'the whole output' });
});

test('a worker without a sandbox leaves files of a provider to another worker, and says what is missing', async () => {
  const { baseUrl } = model;
  const open = buildIn('implementation');
  const build = { ...open, spec: { ...open.spec, mayRunAnyFiles: true } };
  const real = { ...settings(PASSED_RUN), providers: { openai: { apiKey: 'key', baseUrl } } };
  const written = await workOn(build, real);
  model.answer('testing', ANSWERS.testing);
  await expect(workOn(written, real)).rejects.toMatchObject({
    type: expect.stringContaining('sandbox_missing'),
    nonRetryable: false,
    message: expect.stringContaining('bubblewrap'),
  });
});
