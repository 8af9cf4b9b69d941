import type { ArtifactRef } from '../../artifacts/artifact-store.ts';
import type { Head } from '../../machine/build.ts';
import type { JsonObject } from '../../machine/json.ts';
import type { ActivityDeps } from '../deps.ts';
import { sandboxMissing } from '../sandbox/bubblewrap.ts';
import type { TestReport } from '../sandbox/report.ts';
import type { Attempt } from './ask-role.ts';
import { failedBefore } from './failed-before.ts';

/** A test run of a whole project; what takes longer is not waited for. */
const TEST_TIMEOUT_MS = 120_000;
const REASON_LIMIT_CHARS = 500;
const SHOWN_NAMES = 20;

/** A commit whose tests are wanted. `runnable` as in a head: whether the simulated model alone wrote what is in it. */
type Tested = Pick<Head, 'commit' | 'bundle' | 'runnable'>;

/**
 * Runs the tests of a commit by the rules of the gate, within what is left of the active time.
 *
 * @throws AppError `sandbox_missing` when this worker may not run the files: another one may have a sandbox.
 */
export async function runTestsOf({ deps, input, meter }: Attempt, tested: Tested): Promise<TestReport> {
  const { commit, bundle, runnable } = tested;
  const { workspaces, sandbox, tmpDir, store } = deps;
  const { build } = input;
  if (!runnable && !sandbox.takesAnyFiles)
    throw sandboxMissing('this worker has SANDBOX=off, for files of the simulated model alone');
  return await deps.measureTests({
    workspaces,
    sandbox,
    workflowId: build.spec.workflowId,
    at: { commit, ...(bundle === undefined ? {} : { bundle }) },
    base: build.base ?? null,
    required: await failedBefore(store, build),
    tmpDir,
    timeoutMs: Math.max(1, Math.min(TEST_TIMEOUT_MS, meter.remainingMs())),
    signal: meter.signal,
  });
}

/** A run as prompts and results show it. */
export const reportData = ({ failures, skipped, idle, durationMs, ...report }: TestReport): JsonObject => ({
  measured: true,
  runner: report.runner,
  sandbox: report.sandbox,
  passed: report.passed,
  tests: report.tests,
  coverage: report.coverage,
  coverage_of: report.coverageOf,
  duration_ms: Math.round(durationMs),
  failures: failures.map(({ name, reason }) => ({ name, reason })),
  ...(report.uncovered.length > 0 ? { uncovered: report.uncovered } : {}),
  ...(skipped.length > 0 ? { skipped: skipped.slice(0, SHOWN_NAMES) } : {}),
  ...(idle.length > 0 ? { prove_nothing: idle.slice(0, SHOWN_NAMES) } : {}),
});

/** Keeps the whole report, with the names of all tests and the end of the output, in the artifact store. */
export const keepReport = ({ store }: Pick<ActivityDeps, 'store'>, report: TestReport): Promise<ArtifactRef> =>
  store.put(JSON.stringify({ ...reportData(report), ...report }));

/** Why a run does not pass a gate of so much coverage, in one line; null when it does. */
export function faultText(report: TestReport, coverageMin: number): string | null {
  if (!report.passed) return failureText(report);
  if (report.coverage >= coverageMin) return null;
  return `no test reaches ${report.uncovered.join('; ')}`.slice(0, REASON_LIMIT_CHARS);
}

/** The failing tests by name. */
function failureText({ failures, tests, output }: TestReport): string {
  const named = failures.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  const told = named || (tests === 0 ? 'no test was run' : `the test run failed: ${output.slice(-200)}`);
  return told.replace(/\s+/g, ' ').slice(0, REASON_LIMIT_CHARS);
}
