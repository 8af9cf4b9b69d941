import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseFiles } from '../../src/prompts/choose-files.ts';

const file = (path: string, bytes = 1000) => ({ path, bytes });
const FILLERS = Array.from({ length: 100 }, (_, n) => file(`lib/filler-${n}.js`, 900));
const choose = (tree: { path: string; bytes: number }[], texts: string[], limitChars = 5000) =>
  chooseFiles({ tree: [...tree, ...FILLERS], texts, limitChars });

describe('which files of a large tree are shown', () => {
  test('all of them, in the order of the tree, when all fit', () => {
    const tree = [file('b.js'), file('a.js'), file('package-lock.json')];
    expect(chooseFiles({ tree, texts: ['a.js'], limitChars: 3000 })).toEqual(['b.js', 'a.js', 'package-lock.json']);
  });

  test('first those that the texts name, in the order of the texts', () => {
    const tree = [file('src/deep/parser.js', 1500), file('src/writer.js', 1500), file('README.md')];
    expect(choose(tree, ['fails in writer.js:12', 'see `src/deep/parser.js`.']).slice(0, 2)).toEqual([
      'src/writer.js',
      'src/deep/parser.js',
    ]);
  });

  test('a file that is meant by its stem alone, after those that are named in full', () => {
    const tree = [file('src/tokenizer.py'), file('src/reader.py')];
    expect(choose(tree, ['the tokenizer drops a space', 'reader.py']).slice(0, 2)).toEqual([
      'src/reader.py',
      'src/tokenizer.py',
    ]);
  });

  test('then the tests beside them', () => {
    const tree = [file('src/reader.py'), file('tests/test_reader.py'), file('tests/test_other.py')];
    expect(choose(tree, ['reader.py'], 2900).slice(0, 2)).toEqual(['src/reader.py', 'tests/test_reader.py']);
  });

  test('then manifests and the README, then entry points, then small before large', () => {
    const tree = [file('src/index.js', 1200), file('a/large.js', 950), file('package.json'), file('README.md', 1100)];
    const chosen = choose(tree, [], 6000);
    expect(chosen.slice(0, 3)).toEqual(['package.json', 'README.md', 'src/index.js']);
    expect(chosen.slice(3)).toEqual(['lib/filler-0.js', 'lib/filler-1.js', 'lib/filler-10.js']);
  });

  test('what does not fit is passed over for what does', () => {
    expect(choose([file('src/huge.js', 90_000), file('src/small.js')], ['huge.js small.js'])[0]).toBe('src/small.js');
  });

  test('no generated file unless it is named, and never what is no text', () => {
    const tree = [file('package-lock.json', 10), file('dist/a.min.js', 10), file('logo.png', 10)];
    const chosen = choose(tree, ['look at dist/a.min.js and logo.png']);
    expect(chosen[0]).toBe('dist/a.min.js');
    expect(chosen).not.toContain('package-lock.json');
    expect(chosen).not.toContain('logo.png');
  });

  test('everyday words name no file', () => {
    expect(choose([file('x/index.js', 2000), file('x/api.js', 2000)], ['the index of the api'], 2000)).not.toContain(
      'x/api.js',
    );
  });
});

test('the choice keeps to its limit, repeats nothing, and does not depend on the order of the tree', () => {
  const path = fc.stringMatching(/^[a-c]\/[a-z]{1,6}\.(js|md|png)$/);
  const tree = fc.uniqueArray(fc.record({ path, bytes: fc.nat(3000) }), { selector: (entry) => entry.path });
  fc.assert(
    fc.property(tree, fc.array(fc.string()), fc.nat(20_000), (entries, texts, limitChars) => {
      const chosen = chooseFiles({ tree: entries, texts, limitChars });
      const sizes = new Map(entries.map((entry) => [entry.path, entry.bytes]));
      expect(chosen.reduce((sum, name) => sum + (sizes.get(name) ?? Number.NaN), 0)).toBeLessThanOrEqual(limitChars);
      expect(new Set(chosen).size).toBe(chosen.length);
      const turned = chooseFiles({ tree: entries.toReversed(), texts, limitChars });
      expect(turned.toSorted()).toEqual(chosen.toSorted());
    }),
  );
});
