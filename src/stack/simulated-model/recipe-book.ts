import { type LoadedRecipe, loadRecipe } from './recipe.ts';
import { csvToJson } from './recipes/csv-to-json/recipe.ts';
import { lruCache } from './recipes/lru-cache/recipe.ts';
import { noRecipe } from './recipes/no-recipe/recipe.ts';
import { noRecipePython } from './recipes/no-recipe-python/recipe.ts';
import { romanNumerals } from './recipes/roman-numerals/recipe.ts';
import { slugify } from './recipes/slugify/recipe.ts';
import { todoApi } from './recipes/todo-api/recipe.ts';
import { wordFrequency } from './recipes/word-frequency/recipe.ts';

const RECIPES = [slugify, romanNumerals, todoApi, wordFrequency, lruCache, csvToJson];

export type RecipeBook = Readonly<{
  recipes: readonly LoadedRecipe[];
  /** What is played when no recipe fits. */
  fallback: LoadedRecipe;
  /** The same for a project in Python. */
  pythonFallback: LoadedRecipe;
}>;

/** Reads the files of all recipes. */
export function openRecipeBook(): RecipeBook {
  return {
    recipes: RECIPES.map(loadRecipe),
    fallback: loadRecipe(noRecipe),
    pythonFallback: loadRecipe(noRecipePython),
  };
}

/**
 * Gives the recipe with the most keywords in the text, the earlier one of the book at a draw. It does not depend on the
 * order of the text, so that requirements stay with their recipe even if their keys are ordered anew.
 */
export function chooseRecipe(book: RecipeBook, requirements: string): LoadedRecipe {
  let best = { recipe: book.fallback, score: 0 };
  for (const recipe of book.recipes) {
    const score = countKeywords(recipe, requirements);
    if (score > best.score) best = { recipe, score };
  }
  return best.recipe;
}

function countKeywords({ keywords: [needed, ...further] }: LoadedRecipe, text: string): number {
  if (!needed?.test(text)) return 0;
  return 1 + further.filter((keyword) => keyword.test(text)).length;
}
