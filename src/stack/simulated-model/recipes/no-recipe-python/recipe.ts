import type { Recipe } from '../../recipe.ts';
import { noRecipe } from '../no-recipe/recipe.ts';

/** The honest default for a project in Python. */
export const noRecipePython: Recipe = {
  ...noRecipe,
  name: 'no-recipe-python',
  title: 'a note of requirements that there is no recipe for (Python)',
  requirements: ['The simulated model has no recipe for these requirements: it only records them in a small package'],
  criteria: [
    {
      criterion: 'The requirements are recorded as they were given',
      file: 'requirements_note/note.py',
      test: 'test_begins_with_the_recorded_requirements',
    },
    {
      criterion: 'An outline is never longer than asked for',
      file: 'requirements_note/note.py',
      test: 'test_shortens_a_longer_text_to_the_given_length',
    },
  ],
  plan: 'The simulated model has no recipe for these requirements. requirements_note/note.py records them and gives an outline.',
  testingStrategy: 'unittest over the recording package; it says nothing about the requirements themselves.',
  mistake: {
    path: 'requirements_note/note.py',
    right: 'line[: max_chars - 1]',
    wrong: 'line[:max_chars]',
    correction: 'The ellipsis now counts towards the length; outlines were one character too long.',
  },
};
