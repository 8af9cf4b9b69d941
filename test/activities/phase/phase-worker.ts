import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import type { MeasureOutput, PhaseOutput } from '../../../src/activities/contract.ts';
import type { ActivityDeps } from '../../../src/activities/deps.ts';
import { measure, phase } from '../../../src/activities/phase/phase.ts';
import type { TestReport } from '../../../src/activities/sandbox/report.ts';
import { noSandbox } from '../../../src/activities/sandbox/sandbox.ts';
import { createWorkspaces } from '../../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import { type Build, phaseOf } from '../../../src/machine/build.ts';
import { snapshotOf } from '../../../src/machine/snapshot.ts';
import type { Providers } from '../../../src/models.ts';
import { MODELS_BY_ROLE } from '../../fakes/models-by-role.ts';
import { NO_RELEASES } from '../../fakes/no-releases.ts';
import { NO_SOURCES } from '../../fakes/no-sources.ts';
import { apply } from '../../machine/sample-builds.ts';

export const PASSED_RUN: TestReport = {
  runner: 'node',
  sandbox: 'bubblewrap',
  passed: true,
  tests: 1,
  names: ['a'],
  skipped: [],
  idle: [],
  owed: [],
  failures: [],
  coverage: 100,
  coverageOf: 'all',
  uncovered: [],
  durationMs: 1,
  output: '',
  exitCode: 0,
};

type Settings = Readonly<{
  /** A folder of the test's own. */
  dir: string;
  providers: Providers;
  /** What the run of a commit's tests says; `required` must be among them. */
  measured: (commit: string, required: readonly string[]) => TestReport;
}>;

export function depsOf({ dir, providers, measured }: Settings): ActivityDeps {
  const store = createFolderStore(join(dir, 'artifacts'));
  return {
    store,
    mirror: { flush: async () => undefined, recordCalls: async () => undefined },
    workspaces: createWorkspaces({ rootDir: join(dir, 'workspaces'), store }),
    sandbox: noSandbox(false),
    measureTests: async ({ at, required }) => measured(at.commit, required),
    releases: NO_RELEASES,
    models: { byRole: MODELS_BY_ROLE, fallbacks: [], providers },
    sources: NO_SOURCES,
    webhook: null,
    publicUrl: null,
    resetStickyQueue: async () => undefined,
    tmpDir: join(dir, 'tmp'),
    log: pino({ level: 'silent' }),
  };
}

export const inputOf = (build: Build) => ({
  build: snapshotOf(build),
  batch: { branch: 'run', openedAtMs: 0, rows: [] },
  phase: phaseOf(build.position) ?? ('discovery' as const),
  remainingMs: 60_000,
});

/** Runs the tests of the build for an external tester. @throws the activity's failure */
export async function measureOf(build: Build, settings: Settings): Promise<MeasureOutput['measurement']> {
  const work = () => measure(depsOf(settings), inputOf(build));
  return (await new MockActivityEnvironment().run<[], MeasureOutput, typeof work>(work)).measurement;
}

/** Does the phase in which the build stands, and gives the next build. @throws the activity's failure */
export async function workOn(build: Build, settings: Settings): Promise<Build> {
  const deps = depsOf(settings);
  const input = inputOf(build);
  const environment = new MockActivityEnvironment();
  const output = await environment.run<[], PhaseOutput, () => Promise<PhaseOutput>>(() => phase(deps, input));
  return apply(build, { type: 'complete_phase', result: output.result, work: output.work }).build;
}
