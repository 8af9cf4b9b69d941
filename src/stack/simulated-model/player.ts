import { assertNever } from '../../errors.ts';
import type { JsonObject } from '../../machine/json.ts';
import { playTesting, playVerification } from './judges.ts';
import { type PhasePrompt, stringsOf } from './prompt-reader.ts';
import { type LoadedRecipe, REQUIREMENTS_PLACE, type RecipeFile } from './recipe.ts';

const SIMULATED = 'Simulated model: this was played from a fixed recipe, no language model thought about it.';

export type PlayOptions = Readonly<{ firstAttemptMistake: boolean }>;

/** Gives what the role of the prompt's phase hands on. */
export function playPhase(prompt: PhasePrompt, recipe: LoadedRecipe, options: PlayOptions): JsonObject {
  switch (prompt.phase) {
    case 'discovery':
      return playDiscovery(recipe);
    case 'planning':
      return playPlanning(prompt, recipe);
    case 'implementation':
      return playImplementation(prompt, recipe, options);
    case 'testing':
      return playTesting(prompt);
    case 'verification':
      return playVerification(prompt, recipe);
    case 'deployment':
      return playDeployment(recipe);
    default:
      return assertNever(prompt.phase);
  }
}

function playDiscovery(recipe: LoadedRecipe): JsonObject {
  return {
    discovered_reqs: recipe.requirements,
    success_criteria: recipe.criteria.map(({ criterion }) => criterion),
    open_questions: [`${SIMULATED} Its recipe is ${recipe.title}. Is that what is wanted?`, ...recipe.openQuestions],
    next_role_instruction: `Plan ${recipe.title}.`,
  };
}

function playPlanning({ earlier }: PhasePrompt, recipe: LoadedRecipe): JsonObject {
  return {
    plan: `${recipe.plan} (${SIMULATED})`,
    components: recipe.rightFiles.map(({ path }) => path),
    testing_strategy: recipe.testingStrategy,
    requirements: stringsOf(earlier.discovery?.discovered_reqs) ?? recipe.requirements,
    success_criteria:
      stringsOf(earlier.discovery?.success_criteria) ?? recipe.criteria.map(({ criterion }) => criterion),
    next_role_instruction: 'Write the components with their tests and a README.md; use no third-party packages.',
  };
}

function playImplementation(prompt: PhasePrompt, recipe: LoadedRecipe, options: PlayOptions): JsonObject {
  const mistaken = options.firstAttemptMistake && prompt.attempt === 1;
  const files = mistaken ? recipe.mistakenFiles : recipe.rightFiles;
  return {
    files: files.map((file) => withRequirements(file, prompt.requirements)),
    test_cases: recipe.testCases,
    documentation: `README.md describes ${recipe.title} and how to run its tests. ${SIMULATED}`,
    technical_notes: `${SIMULATED} ${technicalNote(prompt, recipe, mistaken)}`,
    next_role_instruction: 'Run the tests and measure the coverage of the sources.',
  };
}

function technicalNote({ attempt, sentBack }: PhasePrompt, recipe: LoadedRecipe, mistaken: boolean): string {
  if (mistaken) return 'Its first attempt holds one deliberate mistake, so that a send-back can be watched.';
  const correction = attempt > 1 ? `Attempt ${attempt}: ${recipe.mistake.correction}` : recipe.plan;
  return sentBack === '' ? correction : `${correction} It had been sent back for this:\n${sentBack}`;
}

function withRequirements(file: RecipeFile, requirements: string): RecipeFile {
  if (!file.content.includes(REQUIREMENTS_PLACE)) return file;
  return { path: file.path, content: file.content.replace(REQUIREMENTS_PLACE, () => JSON.stringify(requirements)) };
}

function playDeployment(recipe: LoadedRecipe): JsonObject {
  return {
    deployment_successful: true,
    deployed_at: new Date().toISOString(),
    version: '1.0.0',
    notes: `Release of ${recipe.title}. ${SIMULATED}`,
    monitoring_status: 'Not monitored: the simulated model runs nothing after the release.',
  };
}
