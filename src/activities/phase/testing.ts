import { mayRunFiles } from '../../machine/build.ts';
import { type Attempt, askRole, filesOf } from './ask-role.ts';
import { commitFiles } from './commit-files.ts';
import type { Done } from './done.ts';
import { faultText, keepReport, reportData, runTestsOf } from './measured.ts';

/** The orchestrator's own run decides where it may run the files; the role's word can only make it stricter. */
export async function test(attempt: Attempt): Promise<Done> {
  const { head, spec } = attempt.input.build;
  const runs = head !== null && mayRunFiles(attempt.input.build);
  const before = runs ? await runTestsOf(attempt, head) : null;
  const { value, simulated } = await askRole(attempt, { testRun: before && reportData(before) });
  const commit = filesOf(value).length > 0 ? await commitFiles(attempt, value) : null;
  // Tests that a real provider added are not run without a sandbox: the run before them counts.
  const runnable = simulated && head?.runnable === true;
  const again = before && commit && (runnable || spec.mayRunAnyFiles === true);
  const report = again ? await runTestsOf(attempt, { ...commit, runnable }) : before;
  if (report === null) return { value: { ...value, measured: false }, commit, simulated };
  const passed = value.all_tests_passed === true && report.passed;
  // The run says what failed; what the role made of it stays beside that for the next attempt.
  const fault = faultText(report, spec.coverageMin);
  const told = fault === null ? {} : { reason: fault, role_reason: value.reason ?? null };
  const { sha256 } = await keepReport(attempt.deps, report);
  const measurement = {
    measured: true,
    test_coverage: report.coverage,
    test_run: reportData(report),
    test_report: sha256,
  };
  return { value: { ...value, ...told, ...measurement, all_tests_passed: passed }, commit, simulated };
}
