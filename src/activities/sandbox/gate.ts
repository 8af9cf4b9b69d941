import { type ChangedLines, changedCoverage } from './changed-coverage.ts';
import { boundFailures, NAME_LIMIT, type TestFailure, type TestReport, type TestRun, WHOLE_RUN } from './report.ts';

/** What the tests of the user's source did before the build began. */
export type BaseTests = Readonly<{ passed: readonly string[]; skipped: readonly string[] }>;

/** What a run is judged by beside its own outcome. */
type GateInput = Readonly<{
  run: TestRun;
  /** Tests that passed while the functions under test did nothing; null when none could be taken out. */
  idle: readonly string[] | null;
  base: BaseTests | null;
  /** Tests that failed in the run which was sent back: they must be among those that ran. */
  required: readonly string[];
  changed: ChangedLines | null;
}>;

/** Judges a run by every rule but that of coverage, whose minimum the machine knows. */
export function judgeRun({ run, idle, base, required, changed }: GateInput): Omit<TestReport, 'sandbox'> {
  const proves = without(run.ran, idle ?? []).length > 0;
  // Most tests of the user's source are about other code than what has changed: that is no fault of theirs.
  const theirs = new Set(base?.passed);
  const ownIdle = (idle ?? []).filter((name) => !theirs.has(name));
  const names = without(run.ran, ownIdle);
  const own = [...run.broken, ...run.failed, ...run.faults];
  const missing = run.ran.length === 0 ? [] : missingTests(run, base, required);
  const failures = [...own, ...missing, ...newSkips(run, base)];
  if (failures.length === 0 && !proves) failures.push({ name: WHOLE_RUN, reason: provesNothing(run) });
  return {
    runner: run.runner,
    passed: failures.length === 0,
    tests: names.length,
    names: bounded(names),
    skipped: bounded(run.skipped),
    idle: bounded(ownIdle),
    owed: bounded([...owedTests(run, required), ...missing.map(({ name }) => name)]),
    failures: boundFailures(failures),
    ...changedCoverage(run.spans, changed),
    durationMs: run.durationMs,
    output: run.output,
    exitCode: run.exitCode,
  };
}

const bounded = (names: readonly string[]): string[] => names.slice(0, NAME_LIMIT);

/** Takes each name away as often as it is given: two tests of one name are two tests. */
function without(names: readonly string[], away: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const name of away) left.set(name, (left.get(name) ?? 0) + 1);
  return names.filter((name) => {
    const count = left.get(name) ?? 0;
    left.set(name, count - 1);
    return count <= 0;
  });
}

/** A run in which nothing ran leaves everything owed as it was. */
function owedTests({ ran, failed }: TestRun, required: readonly string[]): string[] {
  if (ran.length === 0) return [...required];
  const really = new Set(ran);
  return [...new Set(failed.map(({ name }) => name))].filter((name) => really.has(name));
}

function missingTests(run: TestRun, base: BaseTests | null, required: readonly string[]): TestFailure[] {
  const there = new Set([...run.ran, ...run.skipped, ...run.broken.map(({ name }) => name)]);
  const missing = new Map<string, string>();
  for (const name of base?.passed ?? []) missing.set(name, 'passed in the code that this build began with');
  for (const name of required) missing.set(name, 'failed in the run that was sent back');
  return [...missing]
    .filter(([name]) => !there.has(name))
    .map(([name, why]) => ({ name, reason: `${why} and did not run now: a test may not be removed or renamed` }));
}

/** Tests that the user's own source skipped already may stay so. */
function newSkips(run: TestRun, base: BaseTests | null): TestFailure[] {
  const known = new Set(base?.skipped);
  const skips = run.skipped.filter((name) => !known.has(name));
  return skips.map((name) => ({ name, reason: 'is skipped or marked as to do: run it, or remove what is not wanted' }));
}

const provesNothing = ({ ran }: TestRun): string =>
  `all ${ran.length} tests also pass when the functions of the code do nothing, so they prove nothing: let each assert what the code gives or does`;
