import type { JsonObject } from '../../machine/json.ts';
import type { TestReport } from '../sandbox/report.ts';
import type { Attempt } from './ask-role.ts';

/** A test run of a whole project; what takes longer is not waited for. */
const TEST_TIMEOUT_MS = 120_000;
const REASON_LIMIT_CHARS = 500;

/** Runs the tests of a commit, within what is left of the active time. */
export function runTestsOf({ deps, input, meter }: Attempt, commit: string): Promise<TestReport> {
  const { workspaces, sandbox, tmpDir } = deps;
  const { workflowId } = input.build.spec;
  const timeoutMs = Math.max(1, Math.min(TEST_TIMEOUT_MS, meter.remainingMs()));
  return deps.measureTests({ workspaces, sandbox, workflowId, commit, tmpDir, timeoutMs, signal: meter.signal });
}

/** A run as prompts and results show it. */
export const reportData = ({ runner, passed, tests, coverage, failures, durationMs }: TestReport): JsonObject => ({
  measured: true,
  runner,
  passed,
  tests,
  coverage,
  duration_ms: Math.round(durationMs),
  failures: failures.map(({ name, reason }) => ({ name, reason })),
});

/** The failing tests by name, in one line. */
export function failureText({ failures, tests, output }: TestReport): string {
  const named = failures.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  const told = named || (tests === 0 ? 'no test was run' : `the test run failed: ${output.slice(-200)}`);
  return told.replace(/\s+/g, ' ').slice(0, REASON_LIMIT_CHARS);
}
