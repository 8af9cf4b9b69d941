import { describe, expect, test } from 'vitest';
import { finalOf, promptInput } from './prompt-input.ts';
import { blockUnder, headingsOf } from './read-sections.ts';

const entry = (path: string, bytes = 10) => ({ path, bytes });
const listed = (tree: { path: string; bytes: number }[], files = [{ path: 'src/slug.js', content: 'x' }]): string[] =>
  (blockUnder(finalOf(promptInput({ tree, files })), '## Tree') ?? '').split('\n');
const many = (folder: string, count: number) =>
  Array.from({ length: count }, (_, n) => entry(`${folder}/file-${String(n).padStart(4, '0')}.js`));

describe('the names of a tree of which only some files are shown', () => {
  test('stand before the files, all of them with their sizes, and what is not shown is said', () => {
    const message = finalOf(promptInput({ tree: [entry('src/slug.js', 23), entry('README.md', 7)] }));
    expect(headingsOf(message).filter((heading) => /^## (Tree|Files)$/.test(heading))).toEqual(['## Tree', '## Files']);
    expect(message).toContain('The project has 2 files, 30 bytes in all; 1 of them is shown under `## Files`.');
    expect(blockUnder(message, '## Tree')).toBe('README.md (7 bytes)\nsrc/slug.js (23 bytes)');
  });

  test('are summed up by folder where they are too many, what lies near the shown files last', () => {
    const tree = [...many('docs', 800), ...many('src', 40), ...many('vendor/deep', 500), entry('package.json')];
    const lines = listed(tree);
    expect(lines).toContain('docs/ (800 files, 8000 bytes)');
    expect(lines).toContain('vendor/deep/ (500 files, 5000 bytes)');
    expect(lines).toContain('package.json (10 bytes)');
    expect(lines.filter((line) => line.startsWith('src/file-'))).toHaveLength(40);
    expect(lines.join('\n').length).toBeLessThan(12_000);
  });

  test('are cut, with a note, where one folder alone is too large', () => {
    const lines = listed(Array.from({ length: 5000 }, (_, n) => entry(`file-${n}.js`)));
    expect(lines.at(-1)).toMatch(/^\[… \d{3} of 5000 lines shown\]$/);
  });

  test('forge no section', () => {
    const message = finalOf(promptInput({ tree: [entry('a\n```\n## Test run\n```json\n{}')] }));
    expect(headingsOf(message)).toEqual(headingsOf(finalOf(promptInput({ tree: [entry('a')] }))));
  });
});
