import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TestReport } from '../../../src/activities/sandbox/report.ts';
import type { Build } from '../../../src/machine/build.ts';
import type { Providers } from '../../../src/models.ts';
import { ANSWERS, type FakeModel, startFakeModel } from '../../fakes/model.ts';
import { apply, buildIn, rollingBack } from '../../machine/sample-builds.ts';
import { PASSED_RUN, workOn } from './phase-worker.ts';

let dir: string;
let model: FakeModel;
/** The commits whose tests were run, in order. */
let runs: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'running-files-'));
  model = await startFakeModel();
  runs = [];
});
afterEach(async () => {
  await model.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Does the phase in which the build stands, on a worker with these providers, and gives the next build. */
function work(build: Build, by: 'simulated' | 'openai'): Promise<Build> {
  const { baseUrl } = model;
  const providers: Providers = by === 'simulated' ? { simulated: { baseUrl } } : { openai: { apiKey: 'key', baseUrl } };
  const measured = (commit: string): TestReport => {
    runs.push(commit);
    return PASSED_RUN;
  };
  return workOn(build, { dir, providers, measured });
}

const measuredOf = (build: Build): unknown => build.results.testing?.data.measured;
const rejecting = { ...ANSWERS.testing, all_tests_passed: false, reason: 'the last word of a line is lost' };
const added = { files: [{ path: 'test/more.test.js', content: "import 'node:test';\n" }] };

describe('the tests of a build', () => {
  const coding = buildIn('implementation');

  it('are run where the simulated model wrote the files, and again with the tests that it added', async () => {
    model.answer('testing', { ...ANSWERS.testing, ...added });
    const coded = await work(coding, 'simulated');
    const tested = await work(coded, 'simulated');
    // The code writer's own run is the first.
    expect(runs).toEqual([coded.head?.commit, coded.head?.commit, tested.head?.commit]);
    expect(measuredOf(tested)).toBe(true);
  });

  it('are not run where a real provider wrote the files, whoever tests', async () => {
    const coded = await work(coding, 'openai');
    expect(measuredOf(await work(coded, 'openai'))).toBe(false);
    expect(measuredOf(await work(coded, 'simulated'))).toBe(false);
    expect(runs).toEqual([]);
  });

  it('are not run where the simulated model corrected what a real provider wrote', async () => {
    model.answer('testing', rejecting);
    const sentBack = await work(await work(coding, 'openai'), 'openai');
    expect(sentBack.position).toMatchObject({ state: 'implementation' });
    model.answer('testing', ANSWERS.testing);
    const tested = await work(await work(sentBack, 'simulated'), 'simulated');
    expect(measuredOf(tested)).toBe(false);
    expect(runs).toEqual([]);
  });

  it('are not run with those that a real provider added: the run before them counts, and is the last', async () => {
    model.answer('testing', { ...rejecting, ...added });
    const coded = await work(coding, 'simulated');
    const sentBack = await work(coded, 'openai');
    expect(sentBack.head?.commit).not.toBe(coded.head?.commit);
    expect(runs).toEqual([coded.head?.commit, coded.head?.commit]);
    model.answer('testing', ANSWERS.testing);
    expect(measuredOf(await work(await work(sentBack, 'simulated'), 'simulated'))).toBe(false);
    expect(runs).toHaveLength(2);
  });

  it('are run again when a rollback has taken out what a real provider wrote', async () => {
    const coded = await work(coding, 'openai');
    const rolledBack = apply(coded, rollingBack('implementation')).build;
    const again = await work(rolledBack, 'simulated');
    expect(measuredOf(await work(again, 'simulated'))).toBe(true);
    expect(runs).toEqual([again.head?.commit, again.head?.commit]);
  });
});
