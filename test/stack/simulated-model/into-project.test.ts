import { describe, expect, test } from 'vitest';
import { fitRecipe } from '../../../src/stack/simulated-model/fit-recipe.ts';
import type { PhasePrompt } from '../../../src/stack/simulated-model/prompt-reader.ts';
import type { LoadedRecipe } from '../../../src/stack/simulated-model/recipe.ts';
import { openRecipeBook } from '../../../src/stack/simulated-model/recipe-book.ts';
import { runRecipe } from './run-recipe.ts';

const book = openRecipeBook();
const COMMON_JS = { 'package.json': '{"name":"shop"}', 'index.js': 'module.exports = 1;\n' };

function played(
  requirements: string,
  files: Readonly<Record<string, string>>,
  more: Partial<PhasePrompt> = {},
): LoadedRecipe {
  const shown = new Map(Object.entries(files));
  const base = { phase: 'implementation', attempt: 1, requirements, earlier: {}, sentBack: '', testRun: null } as const;
  return fitRecipe(book, { ...base, criteria: [], files: shown, paths: new Set(shown.keys()), ...more });
}

const pathsOf = ({ rightFiles }: LoadedRecipe): string[] => rightFiles.map(({ path }) => path);
const contentOf = ({ rightFiles }: LoadedRecipe, path: string): string =>
  rightFiles.find((file) => file.path === path)?.content ?? '';

describe('a recipe in an existing project', () => {
  test.each(['slugs of titles', 'roman numerals', 'a todo api', 'the weather'])(
    'passes its own tests in a project of CommonJS: %s',
    async (requirements) => {
      const recipe = played(requirements, { ...COMMON_JS, 'lib/shop.js': '', 'tests/shop.test.js': '' });
      expect(pathsOf(recipe).every((path) => /^(lib|tests)\/[\w-]+(\.test)?\.js$/.test(path))).toBe(true);
      const withPackage = (files: LoadedRecipe['rightFiles']) => [
        ...files.map((file) => ({ ...file, content: file.content.replace("'REQUIREMENTS_TEXT'", '"the weather"') })),
        { path: 'package.json', content: COMMON_JS['package.json'] },
      ];
      expect(await runRecipe(withPackage(recipe.rightFiles), false)).toMatchObject({ exitCode: 0, failedTests: [] });
      expect((await runRecipe(withPackage(recipe.mistakenFiles), false)).exitCode).not.toBe(0);
    },
  );

  test('keeps to ES modules where the project has them, and to the folders that are there', () => {
    const recipe = played('slugs of titles', { 'package.json': '{"type":"module"}', 'src/a.js': '', 'test/a.js': '' });
    expect(pathsOf(recipe)).toEqual(['src/slugify.js', 'test/slugify.test.js']);
    expect(contentOf(recipe, 'test/slugify.test.js')).toContain("from '../src/slugify.js'");
  });

  test('stands beside the code where that is in the root', () => {
    const recipe = played('slugs of titles', COMMON_JS);
    expect(pathsOf(recipe)).toEqual(['slugify.js', 'test/slugify.test.js']);
    expect(contentOf(recipe, 'test/slugify.test.js')).toContain("require('../slugify.js')");
    expect(recipe.criteria[0]?.file).toBe('slugify.js');
  });

  test('is written for vitest where the project tests with it', () => {
    const recipe = played('slugs of titles', {
      'package.json': '{"type":"module","devDependencies":{"vitest":"4.0.0"}}',
      'src/a.js': '',
    });
    expect(contentOf(recipe, 'test/slugify.test.js')).toContain("import { test } from 'vitest';");
  });

  test('takes another name where the project has a module of its name, and keeps to it', () => {
    const taken = { ...COMMON_JS, 'slugify.js': 'module.exports = 2;\n' };
    const first = played('slugs of titles', taken);
    expect(pathsOf(first)).toEqual(['slugify-simulated.js', 'test/slugify-simulated.test.js']);
    expect(contentOf(first, 'test/slugify-simulated.test.js')).toContain("require('../slugify-simulated.js')");
    const written = Object.fromEntries(first.mistakenFiles.map(({ path, content }) => [path, content]));
    // Also where attempts were counted and their files taken back.
    for (const files of [taken, { ...taken, ...written }]) {
      expect(played('slugs of titles', files, { attempt: 2 }).rightFiles).toEqual(first.rightFiles);
    }
  });

  test('is the same again once it is in the project, in every later phase', () => {
    const first = played('slugs of titles', COMMON_JS);
    for (const files of [first.mistakenFiles, first.rightFiles]) {
      const own = Object.fromEntries(files.map(({ path, content }) => [path, content]));
      const numbered = Object.fromEntries(
        files.map(({ path, content }) => [path, content.trimEnd().replace(/^/gm, () => '7| ')]),
      );
      const again = played('slugs of titles', { ...COMMON_JS, ...own }, { attempt: 2 });
      const verified = played('slugs of titles', { ...COMMON_JS, ...numbered }, { phase: 'verification' });
      expect([pathsOf(again), pathsOf(verified)]).toEqual([pathsOf(first), pathsOf(first)]);
    }
    const named = new Set([...Object.keys(COMMON_JS), ...pathsOf(first)]);
    expect(pathsOf(played('slugs of titles', COMMON_JS, { phase: 'testing', paths: named }))).toEqual(pathsOf(first));
  });

  test('is the honest default where the project has a package of its name, which must stay', () => {
    const python = { 'shop/__init__.py': '', 'lru_cache/cache.py': 'x = 1' };
    expect(pathsOf(played('an LRU cache', python))).toContain('requirements_note/note.py');
  });

  test('is the honest default in a project of another language', () => {
    const python = { 'shop/__init__.py': '', 'tests/test_shop.py': '' };
    expect(pathsOf(played('slugs of titles', python))).toEqual([
      'requirements_note/__init__.py',
      'requirements_note/note.py',
      'tests/test_requirements_note.py',
    ]);
    expect(pathsOf(played('an LRU cache', COMMON_JS))).toEqual(['requirements.js', 'test/requirements.test.js']);
  });

  test('is itself in a project of its language', () => {
    expect(pathsOf(played('an LRU cache', { 'shop/__init__.py': '' }))).toEqual([
      'lru_cache/__init__.py',
      'lru_cache/cache.py',
      'tests/test_cache.py',
    ]);
  });

  test('brings its own package where there is no code yet, and leaves a README alone', () => {
    const recipe = played('slugs of titles', { 'README.md': '# Shop' });
    expect(pathsOf(recipe)).toEqual(['package.json', 'src/slugify.js', 'test/slugify.test.js']);
    expect(contentOf(recipe, 'src/slugify.js')).toContain('export function slugify');
  });

  test('is as it stands where nothing but itself is shown', () => {
    const slugify = book.recipes.find(({ name }) => name === 'slugify');
    const own = Object.fromEntries((slugify?.rightFiles ?? []).map(({ path, content }) => [path, content]));
    expect(played('slugs of titles', own)).toBe(slugify);
    expect(played('slugs of titles', {})).toBe(slugify);
  });
});
