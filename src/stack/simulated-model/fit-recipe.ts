import { languageOf, projectOf, recipeInto } from './into-project.ts';
import type { PhasePrompt } from './prompt-reader.ts';
import type { LoadedRecipe } from './recipe.ts';
import { chooseRecipe, type RecipeBook } from './recipe-book.ts';

/**
 * The recipe that a prompt's requirements ask for, put into the code base that it shows, if it shows one. In a project of
 * another language than the recipe's, and for requirements without a recipe, it is the honest default.
 */
export function fitRecipe(book: RecipeBook, prompt: PhasePrompt): LoadedRecipe {
  const chosen = chooseRecipe(book, prompt.requirements);
  const project = projectOf(prompt, chosen);
  if (project === null) return chosen;
  const fits = project.language === null || project.language === languageOf(chosen);
  const other = project.language === 'python' ? book.pythonFallback : book.fallback;
  return (fits ? recipeInto(chosen, project, prompt) : null) ?? recipeInto(other, project, prompt) ?? other;
}
