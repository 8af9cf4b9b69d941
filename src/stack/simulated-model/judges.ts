import type { JsonObject } from '../../machine/json.ts';
import { type PhasePrompt, stringsOf, type TestRun } from './prompt-reader.ts';
import type { LoadedRecipe } from './recipe.ts';

/** Reports the orchestrator's test run as it is: the simulated model judges nothing of its own. */
export function playTesting({ testRun }: PhasePrompt): JsonObject {
  if (!testRun?.measured) return notRun();
  return testRun.passed ? passed(testRun) : failed(testRun);
}

function passed({ tests, coverage }: TestRun): JsonObject {
  return {
    all_tests_passed: true,
    test_coverage: coverage,
    test_results: [
      { name: `all ${tests} tests`, passed: true, reason: 'measured run, reported by the simulated model' },
    ],
    next_role_instruction: `All ${tests} tests passed with ${coverage} % coverage: check the success criteria.`,
  };
}

function failed({ tests, coverage, failures }: TestRun): JsonObject {
  const named = failures.map(({ name, reason }) => `${name} (${reason})`).join('; ');
  const reason = named
    ? `${failures.length} of ${tests} tests failed: ${named}`
    : `The test run of ${tests} tests failed without naming a test that did`;
  const rest = tests - failures.length;
  return {
    all_tests_passed: false,
    test_coverage: coverage,
    test_results: [
      ...failures.map((failure) => ({ ...failure, passed: false })),
      ...(rest > 0 ? [{ name: `${rest} other tests`, passed: true, reason: 'measured run' }] : []),
    ],
    reason,
    next_role_instruction: `Correct the code, not the tests. ${reason}`,
  };
}

function notRun(): JsonObject {
  const reason =
    'No measured test run was given, and the simulated model vouches for none. Hand over files with tests, or let a ' +
    'person complete testing.';
  return {
    all_tests_passed: false,
    test_coverage: 0,
    test_results: [{ name: 'test run', passed: false, reason }],
    reason,
    next_role_instruction: reason,
  };
}

/** Approves what passed its tests, with one piece of evidence per criterion of the plan. */
export function playVerification({ earlier }: PhasePrompt, recipe: LoadedRecipe): JsonObject {
  const testsPassed = earlier.testing?.all_tests_passed === true;
  const criteria =
    stringsOf(earlier.planning?.success_criteria) ??
    stringsOf(earlier.discovery?.success_criteria) ??
    recipe.criteria.map(({ criterion }) => criterion);
  const outcome = testsPassed ? 'passed' : 'did not all pass, or were not reported';
  return {
    approved_for_deployment: testsPassed,
    verification_report: `Simulated model: no judgement of its own. The tests ${outcome}.`,
    recommendations: ['Have a person or a real model read the code: the simulated model did not.'],
    evidence: criteria.map((criterion) => ({ criterion, met: testsPassed, evidence: evidenceFor(criterion, recipe) })),
    next_role_instruction: testsPassed ? 'Release it.' : 'Make the tests pass.',
  };
}

function evidenceFor(criterion: string, recipe: LoadedRecipe): string {
  const known = recipe.criteria.find((own) => own.criterion === criterion);
  if (known) return `${known.file}; test "${known.test}" in ${testFileOf(recipe, known.test)}`;
  const tests = recipe.rightFiles.filter(isTestFile).map(({ path }) => path);
  return `The recipe does not know this criterion; it goes by the tests as a whole: ${tests.join(', ')}`;
}

function testFileOf(recipe: LoadedRecipe, test: string): string {
  return recipe.rightFiles.find((file) => isTestFile(file) && file.content.includes(test))?.path ?? 'no file';
}

function isTestFile({ path }: { path: string }): boolean {
  return /\.test\.js$|(^|\/)test_[^/]+\.py$/.test(path);
}
