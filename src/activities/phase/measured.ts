import type { ArtifactRef } from '../../artifacts/artifact-store.ts';
import type { Commit } from '../../machine/build.ts';
import type { JsonObject } from '../../machine/json.ts';
import type { ActivityDeps } from '../deps.ts';
import type { TestReport } from '../sandbox/report.ts';
import type { Attempt } from './ask-role.ts';

/** A test run of a whole project; what takes longer is not waited for. */
const TEST_TIMEOUT_MS = 120_000;
const REASON_LIMIT_CHARS = 500;
const SHOWN_SKIPPED = 20;

/** Runs the tests of a commit, within what is left of the active time. */
export function runTestsOf(
  { deps, input, meter }: Attempt,
  at: Pick<Commit, 'commit' | 'bundle'>,
): Promise<TestReport> {
  const { commit } = at;
  const { workspaces, sandbox, tmpDir } = deps;
  const { workflowId } = input.build.spec;
  const timeoutMs = Math.max(1, Math.min(TEST_TIMEOUT_MS, meter.remainingMs()));
  return deps.measureTests({ workspaces, sandbox, workflowId, commit, tmpDir, timeoutMs, signal: meter.signal });
}

/** A run as prompts and results show it. */
export const reportData = ({ failures, skipped, durationMs, ...report }: TestReport): JsonObject => ({
  measured: true,
  runner: report.runner,
  passed: report.passed,
  tests: report.tests,
  coverage: report.coverage,
  coverage_of: report.coverageOf,
  duration_ms: Math.round(durationMs),
  failures: failures.map(({ name, reason }) => ({ name, reason })),
  ...(skipped.length > 0 ? { skipped: skipped.slice(0, SHOWN_SKIPPED) } : {}),
});

/** Keeps the whole report, with the names of all tests and the end of the output, in the artifact store. */
export const keepReport = ({ store }: Pick<ActivityDeps, 'store'>, report: TestReport): Promise<ArtifactRef> =>
  store.put(JSON.stringify({ ...reportData(report), ...report }));

/** The failing tests by name, in one line. */
export function failureText({ failures, tests, output }: TestReport): string {
  const named = failures.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  const told = named || (tests === 0 ? 'no test was run' : `the test run failed: ${output.slice(-200)}`);
  return told.replace(/\s+/g, ' ').slice(0, REASON_LIMIT_CHARS);
}
