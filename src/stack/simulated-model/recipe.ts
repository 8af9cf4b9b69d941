import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export type RecipeFile = Readonly<{ path: string; content: string }>;

/**
 * One piece of software that the simulated model knows how to play, in every phase. Its right code and its tests are
 * real files in `recipes/<name>/files/`.
 */
export type Recipe = Readonly<{
  /** The name of its folder. */
  name: string;
  title: string;
  /** The first must be found in the requirements; each further one found makes the recipe a better fit. */
  keywords: readonly RegExp[];
  requirements: readonly string[];
  /** Each with the file that meets it and the test that shows it. */
  criteria: readonly Readonly<{ criterion: string; file: string; test: string }>[];
  openQuestions: readonly string[];
  plan: string;
  testingStrategy: string;
  testCases: readonly Readonly<{ name: string; input: string; expected_output: string }>[];
  mistake: Mistake;
}>;

/** The bug of the first attempt: `wrong` stands where the file has `right`. */
type Mistake = Readonly<{ path: string; right: string; wrong: string; correction: string }>;

/** Stands in a file where the requirements go, as they were given. */
export const REQUIREMENTS_PLACE = "'REQUIREMENTS_TEXT'";

/** A recipe with its files read, once right and once with the mistake. */
export type LoadedRecipe = Recipe &
  Readonly<{ rightFiles: readonly RecipeFile[]; mistakenFiles: readonly RecipeFile[] }>;

const RECIPES_DIR = fileURLToPath(new URL('./recipes/', import.meta.url));

export function loadRecipe(recipe: Recipe): LoadedRecipe {
  const rightFiles = readFiles(join(RECIPES_DIR, recipe.name, 'files'));
  return { ...recipe, rightFiles, mistakenFiles: withMistake(rightFiles, recipe) };
}

function readFiles(root: string): RecipeFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('__pycache__'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(root, file).split(sep).join('/'), content: readFileSync(file, 'utf8') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function withMistake(files: readonly RecipeFile[], { name, mistake }: Recipe): RecipeFile[] {
  const target = files.find(({ path }) => path === mistake.path);
  if (target?.content.split(mistake.right).length !== 2) {
    throw new Error(
      `recipe ${name}: ${mistake.path} must hold the place of the mistake exactly once: correct recipe.ts`,
    );
  }
  const mistaken = { path: target.path, content: target.content.replace(mistake.right, () => mistake.wrong) };
  return files.map((file) => (file === target ? mistaken : file));
}
