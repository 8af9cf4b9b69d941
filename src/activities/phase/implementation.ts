import type { JsonObject } from '../../machine/json.ts';
import type { TestReport } from '../sandbox/report.ts';
import { type Attempt, askRole } from './ask-role.ts';
import { commitFiles } from './commit-files.ts';
import type { Done } from './done.ts';
import { askForCorrection, ownTestRun } from './self-test.ts';

/** How often a failing run is shown to the code writer before it hands over; the testing phase judges what it is. */
const CORRECTIONS_LIMIT = 2;
const NAMES_SHOWN = 5;

/** What the code writer's own runs came to, small. `rounds`: how often the tests were run. */
const selfTest = ({ passed, failures, coverage }: TestReport, rounds: number): JsonObject => ({
  rounds,
  passed,
  coverage,
  failures: failures.slice(0, NAMES_SHOWN).map(({ name }) => name),
});

/**
 * The code writer's phase. Its answer is committed and its tests are run where they may be; while they fail it is asked
 * for corrections, a bounded number of times and not after one that changes nothing. Each commit takes the place of the
 * one before it, so that the attempt leaves one.
 */
export async function implement(attempt: Attempt): Promise<Done> {
  const { coverageMin } = attempt.input.build.spec;
  let answer = await askRole(attempt);
  let commit = await commitFiles(attempt, answer.value);
  let last: TestReport | null = null;
  let rounds = 0;
  for (;;) {
    const report = await ownTestRun(attempt, commit, answer.simulated);
    if (report === null) break;
    last = report;
    rounds += 1;
    if ((report.passed && report.coverage >= coverageMin) || rounds > CORRECTIONS_LIMIT) break;
    const next = await askForCorrection(attempt, answer, commit, report);
    if (next === null) break;
    const corrected = await commitFiles(attempt, next.value);
    const changed = corrected.tree !== commit.tree;
    answer = next;
    commit = corrected;
    if (!changed) break;
  }
  const tested = last === null ? {} : { self_test: selfTest(last, rounds) };
  return { value: { ...answer.value, ...tested }, commit, simulated: answer.simulated };
}
