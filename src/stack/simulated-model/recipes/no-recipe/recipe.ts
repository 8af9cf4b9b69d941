import type { Recipe } from '../../recipe.ts';

/** The honest default: a build can be watched to its end, and every result says that it is not what was asked for. */
export const noRecipe: Recipe = {
  name: 'no-recipe',
  title: 'a note of requirements that there is no recipe for (Node.js)',
  keywords: [],
  requirements: ['The simulated model has no recipe for these requirements: it only records them in a small module'],
  criteria: [
    {
      criterion: 'The requirements are recorded as they were given',
      file: 'src/requirements.js',
      test: 'records the requirements',
    },
    {
      criterion: 'An outline is never longer than asked for',
      file: 'src/requirements.js',
      test: 'shortens a longer text to the given length',
    },
  ],
  openQuestions: ['The simulated model has no recipe for these requirements. Which model provider shall build them?'],
  plan: 'The simulated model has no recipe for these requirements. src/requirements.js records them and gives an outline.',
  testingStrategy:
    'Unit tests with node:test of the recording module; they say nothing about the requirements themselves.',
  testCases: [
    { name: 'fits', input: 'outline(11, " hello world ")', expected_output: 'hello world' },
    { name: 'too long', input: 'outline(10, "hello world")', expected_output: 'hello wor…' },
  ],
  mistake: {
    path: 'src/requirements.js',
    right: 'chars.slice(0, maxChars - 1)',
    wrong: 'chars.slice(0, maxChars)',
    correction: 'The ellipsis now counts towards the length; outlines were one character too long.',
  },
};
