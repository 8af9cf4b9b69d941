import { mayRunFiles } from '../../machine/build.ts';
import { type Attempt, askRole, filesOf } from './ask-role.ts';
import { commitFiles } from './commit-files.ts';
import type { Done } from './done.ts';
import { faultText, keepReport, reportData, runTestsOf } from './measured.ts';

/** A run, and its report on the way to the store: it need not be there before the role is asked. */
async function runAndKeep(attempt: Attempt, tested: Parameters<typeof runTestsOf>[1]) {
  const report = await runTestsOf(attempt, tested);
  const kept = keepReport(attempt.deps, report);
  // A fault of it counts where the report is named.
  kept.catch(() => undefined);
  return { report, kept };
}

/** The orchestrator's own run decides where it may run the files; the role's word can only make it stricter. */
export async function test(attempt: Attempt): Promise<Done> {
  const { head, spec } = attempt.input.build;
  const runs = head !== null && mayRunFiles(attempt.input.build);
  const before = runs ? await runAndKeep(attempt, head) : null;
  const { value, simulated } = await askRole(attempt, { testRun: before && reportData(before.report) });
  const commit = filesOf(value).length > 0 ? await commitFiles(attempt, value) : null;
  // Tests that a real provider added are not run without a sandbox: the run before them counts.
  const runnable = simulated && head?.runnable === true;
  const again = before && commit && (runnable || spec.mayRunAnyFiles === true);
  const last = again ? await runAndKeep(attempt, { ...commit, runnable }) : before;
  if (last === null) return { value: { ...value, measured: false }, commit, simulated };
  const { report, kept } = last;
  const passed = value.all_tests_passed === true && report.passed;
  // The run says what failed; what the role made of it stays beside that for the next attempt.
  const fault = faultText(report, spec.coverageMin);
  const told = fault === null ? {} : { reason: fault, role_reason: value.reason ?? null };
  const { sha256 } = await kept;
  const measurement = {
    measured: true,
    test_coverage: report.coverage,
    test_run: reportData(report),
    test_report: sha256,
  };
  return { value: { ...value, ...told, ...measurement, all_tests_passed: passed }, commit, simulated };
}
