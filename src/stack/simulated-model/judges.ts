import type { JsonObject } from '../../machine/json.ts';
import type { PhasePrompt, TestRun } from './prompt-reader.ts';
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

function failed({ tests, coverage, failures, names }: TestRun): JsonObject {
  const named = failures.map(({ name, reason }) => `${name} (${reason})`).join('; ');
  const ran = new Set(names);
  const failing = failures.filter(({ name }) => names.length === 0 || ran.has(name)).length;
  // What is no failing test is a rule of the gate that was not kept: a test is skipped, gone, or proves nothing.
  const count = failing === failures.length ? `${failing} of ${tests} tests failed` : `${failures.length} faults`;
  const reason = named ? `${count}: ${named}` : `The test run of ${tests} tests failed without naming a test that did`;
  const rest = tests - failing;
  return {
    all_tests_passed: false,
    test_coverage: coverage,
    test_results: [
      ...failures.map((failure) => ({ ...failure, passed: false })),
      ...(rest > 0 ? [{ name: `${rest} other tests`, passed: true, reason: 'measured run' }] : []),
    ],
    reason,
    next_role_instruction: `Correct what the run shows, and weaken no test. ${reason}`,
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

/** Approves what passed its tests, with one piece of evidence per criterion, as it was asked for them. */
export function playVerification(prompt: PhasePrompt, recipe: LoadedRecipe): JsonObject {
  const testsPassed = prompt.earlier.testing?.all_tests_passed === true;
  const outcome = testsPassed ? 'passed' : 'did not all pass, or were not reported';
  const criteria = prompt.criteria.length > 0 ? prompt.criteria : recipe.criteria.map(({ criterion }) => criterion);
  return {
    approved_for_deployment: testsPassed,
    verification_report: `Simulated model: no judgement of its own. The tests ${outcome}.`,
    recommendations: ['Have a person or a real model read the code: the simulated model did not.'],
    evidence: criteria.map((criterion, index) => ({
      number: index + 1,
      criterion,
      met: testsPassed,
      ...(testsPassed ? evidenceFor(criterion, prompt, recipe) : { evidence: `The tests ${outcome}.` }),
    })),
    next_role_instruction: testsPassed ? 'Release it.' : 'Make the tests pass.',
  };
}

/** What it can point to: the test that the recipe has for a criterion, where that ran, and the line on which it stands. */
function evidenceFor(criterion: string, prompt: PhasePrompt, recipe: LoadedRecipe): JsonObject {
  const known = recipe.criteria.find((own) => own.criterion === criterion);
  if (known) {
    const evidence = `The recipe has ${known.file} for this, and the test "${known.test}" for that.`;
    return { evidence, ...testThatRan(known.test, prompt), ...(lineWith(known.test, prompt) ?? firstLine(prompt)) };
  }
  const [first] = prompt.testRun?.names ?? [];
  const evidence = 'The recipe does not know this criterion; it goes by the tests as a whole, of which this is one.';
  return { evidence, ...(first === undefined ? {} : { test: first }), ...firstLine(prompt) };
}

function testThatRan(name: string, { testRun }: PhasePrompt): JsonObject {
  const found = (testRun?.measured ? testRun.names : []).find(
    (ran) => ran === name || ran.endsWith(`.${name}`) || ran.endsWith(` > ${name}`),
  );
  return found === undefined ? {} : { test: found };
}

/** The first line of the files that holds a text. */
function lineWith(text: string, { files }: PhasePrompt): JsonObject | null {
  for (const [file, content] of files) {
    const [, line] =
      content
        .split('\n')
        .find((one) => one.includes(text))
        ?.match(/^(\d+)\| /) ?? [];
    if (line !== undefined && isTestFile({ path: file })) return { file, line: Number(line) };
  }
  return null;
}

/** Somewhere to begin reading, where nothing better is known: a test, else any file. */
function firstLine({ files }: PhasePrompt): JsonObject {
  const shown = [...files].filter(([, content]) => /^1\| /.test(content)).map(([path]) => path);
  const file = shown.find((path) => isTestFile({ path })) ?? shown[0];
  return file === undefined ? {} : { file, line: 1 };
}

function isTestFile({ path }: { path: string }): boolean {
  return /\.test\.[cm]?js$|(^|\/)test_[^/]+\.py$/.test(path);
}
