import { describe, expect, test } from 'vitest';
import { chooseRecipe, openRecipeBook } from '../../../src/stack/simulated-model/recipe-book.ts';
import { runRecipe } from './run-recipe.ts';

const book = openRecipeBook();

// What the tests of the first attempt find, by recipe.
const FOUND_BY: Record<string, string[]> = {
  slugify: ['strips accents'],
  'roman-numerals': ['writes numerals that take away', 'reads back every number it writes'],
  'todo-api': ['never gives the id of a deleted todo to another one'],
  'word-frequency': ['test_counts_without_regard_to_case'],
  'lru-cache': ['test_reading_an_entry_keeps_it'],
  'csv-to-json': ['test_keeps_numbers_with_leading_zeros_as_text'],
  'no-recipe-python': ['test_shortens_a_longer_text_to_the_given_length'],
  'no-recipe': ['shortens a longer text to the given length'],
};

describe.each([...book.recipes, book.fallback, book.pythonFallback])('the recipe $name', (recipe) => {
  test('has files of the kind that the code writer hands on', () => {
    const paths = recipe.rightFiles.map(({ path }) => path);
    expect(paths).toContain('README.md');
    expect(paths.some((path) => /^src\/.*\.js$|^[a-z_]+\/[a-z_]+\.py$/.test(path))).toBe(true);
    expect(paths.some((path) => /^test\/.*\.test\.js$|^tests\/test_.*\.py$/.test(path))).toBe(true);
    expect(recipe.mistakenFiles.map(({ path }) => path)).toEqual(paths);
  });

  test('names a file and a test that exist for every criterion', () => {
    for (const { file, test: name } of recipe.criteria) {
      expect(recipe.rightFiles.map(({ path }) => path)).toContain(file);
      expect(recipe.rightFiles.some(({ content }) => content.includes(name))).toBe(true);
    }
  });

  test('says in its README that it is simulated', () => {
    const readme = recipe.rightFiles.find(({ path }) => path === 'README.md');
    expect(readme?.content.replace(/\s+/g, ' ')).toContain('simulated model');
  });

  test('fails its own tests on the first attempt, where the mistake is', async () => {
    const run = await runRecipe(recipe.mistakenFiles, false);
    expect(run.exitCode).not.toBe(0);
    expect(run.failedTests.toSorted()).toEqual(FOUND_BY[recipe.name]?.toSorted());
    expect(run.tests).toBeGreaterThanOrEqual(5);
  });

  test('passes them once corrected, with at least 90 % of the lines of every source covered', async () => {
    const run = await runRecipe(recipe.rightFiles, true);
    expect(run.failedTests).toEqual([]);
    expect(run.exitCode).toBe(0);
    expect(Object.keys(run.coverage).length).toBeGreaterThan(0);
    for (const [file, percent] of Object.entries(run.coverage)) expect(percent, file).toBeGreaterThanOrEqual(90);
  });
});

describe('the choice of a recipe', () => {
  test.each([
    ['a function that slugifies titles', 'slugify'],
    ['Write and read Roman numerals', 'roman-numerals'],
    ['A todo-list HTTP API', 'todo-api'],
    ['REST service for to-do items', 'todo-api'],
    ['a CLI that prints word frequencies', 'word-frequency'],
    ['count how often words appear in a file', 'word-frequency'],
    ['an LRU cache', 'lru-cache'],
    ['Convert CSV files to JSON', 'csv-to-json'],
    ['{"title":"Todo API","features":["export as JSON"]}', 'todo-api'],
    ['an app that predicts the weather', 'no-recipe'],
    ['the panorama of a title page', 'no-recipe'],
    ['', 'no-recipe'],
  ])('for "%s" is %s', (requirements, name) => {
    expect(chooseRecipe(book, requirements).name).toBe(name);
  });

  test('does not depend on the order of the requirements', () => {
    const wishes = ['a todo list', 'an HTTP API', 'slugs'];
    const names = [wishes, wishes.toReversed()].map((order) => chooseRecipe(book, JSON.stringify(order)).name);
    expect(new Set(names).size).toBe(1);
  });
});
