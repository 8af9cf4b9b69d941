import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EDITS_LIMIT, type FileEdit, resolveEdits } from '../../../src/activities/edits/resolve-edits.ts';

const FILE = 'one\ntwo\nthree\nfour\n';

type Given = Readonly<{
  files?: { path: string; content: string }[];
  edits?: FileEdit[];
  deleted?: string[];
}>;

function resolve(
  { files = [], edits = [], deleted = [] }: Given,
  tree: Record<string, string | null> = { 'a.js': FILE },
) {
  const contents = new Map(Object.entries(tree));
  return resolveEdits({ files, edits, deleted }, { paths: new Set(contents.keys()), contents });
}
const outcome = (edits: FileEdit[], tree?: Record<string, string | null>) => {
  const resolved = resolve({ edits }, tree);
  return resolved.ok ? resolved.files.map(({ content }) => content) : resolved.faults;
};
const faults = (given: Given, tree?: Record<string, string | null>): string[] => {
  const resolved = resolve(given, tree);
  return resolved.ok ? [] : resolved.faults.map(({ at, fault }) => `${at}: ${fault}`);
};
const replacing = (search: string, replace: string, path = 'a.js'): FileEdit => ({ path, search, replace });
const patching = (...lines: string[]): FileEdit => ({ path: 'a.js', diff: lines.join('\n') });

describe('search and replace', () => {
  test('replaces the one place, and leaves the rest as it is', () => {
    expect(outcome([replacing('two\nthree', '2\n3\n3.5')])).toEqual(['one\n2\n3\n3.5\nfour\n']);
    expect(outcome([replacing('two\n', '')])).toEqual(['one\nthree\nfour\n']);
  });

  test('takes what is put in to the letter, also what would mean something to a pattern', () => {
    expect(outcome([replacing('two', "$& $1 $' \\n")])).toEqual(["one\n$& $1 $' \\n\nthree\nfour\n"]);
  });

  test('makes several edits of one file in their order, each on what the one before it left', () => {
    expect(outcome([replacing('one', 'uno'), replacing('uno\ntwo', 'eins'), replacing('four', '4')])).toEqual([
      'eins\nthree\n4\n',
    ]);
  });

  test.each<[string, FileEdit, RegExp]>([
    ['nowhere', replacing('fuor', '4'), /is not in the file; .*nothing in the file is like it/],
    ['almost', replacing('threee', '3'), /is not in the file; the nearest line is 3: "three"/],
    ['but for white space', replacing('  two\n\tthree', ''), /line 2 differs only in white space: it is "two"/],
    ['at its beginning only', replacing('two\nfour', ''), /begins like line 2, but then line 3 is "three", not "four"/],
    ['as nothing at all', replacing('', 'x'), /`search` is empty/],
  ])('is refused where the text stands %s, and says what is there', (_, edit, told) => {
    expect(faults({ edits: [edit] })).toEqual([expect.stringMatching(told)]);
  });

  test('is refused where the text stands at several places, and says where', () => {
    const tree = { 'a.js': 'x = 1\ny\nx = 1\n' };
    expect(faults({ edits: [replacing('x = 1', 'x = 2')] }, tree)).toEqual([
      '/edits/0: "a.js": `search` is 2 times in the file (at lines 1, 3): give more lines around the one you mean',
    ]);
  });

  test('sees overlapping places, and does not count for ever', () => {
    const tree = { 'a.js': 'a'.repeat(100_000) };
    expect(faults({ edits: [replacing('a'.repeat(50_000), 'b')] }, tree)[0]).toMatch(/at least 20 times/);
  });

  test('takes plain line breaks for those of a CRLF file, and writes such ones', () => {
    const tree = { 'a.js': 'one\r\ntwo\r\nthree\r\n' };
    expect(outcome([replacing('one\ntwo', '1\n2')], tree)).toEqual(['1\r\n2\r\nthree\r\n']);
    expect(outcome([replacing('two', '2\n2.5')], tree)).toEqual(['one\r\n2\r\n2.5\r\nthree\r\n']);
    expect(outcome([replacing('one\r\ntwo', '1')], tree)).toEqual(['1\r\nthree\r\n']);
  });

  test('in a file with both kinds of line breaks works within a line, and says so beyond one', () => {
    const tree = { 'a.js': 'one\r\ntwo\nthree\r\n' };
    expect(outcome([replacing('two', '2')], tree)).toEqual(['one\r\n2\nthree\r\n']);
    expect(faults({ edits: [replacing('one\ntwo', '1')] }, tree)[0]).toMatch(/partly in CRLF and partly in LF/);
  });

  test('says that the file has no line break at its end, where that is what does not fit', () => {
    const tree = { 'a.js': 'one\ntwo' };
    expect(faults({ edits: [replacing('two\n', '2\n')] }, tree)[0]).toMatch(/the file ends without one: leave it out/);
    expect(outcome([replacing('two', '2')], tree)).toEqual(['one\n2']);
  });
});

describe('a unified diff', () => {
  const HUNK = ['@@ -1,3 +1,3 @@', ' one', '-two', '+2', ' three'];

  test('is applied, with or without its headers', () => {
    expect(outcome([patching(...HUNK)])).toEqual(['one\n2\nthree\nfour\n']);
    expect(outcome([patching('diff --git a/a.js b/a.js', '--- a/a.js', '+++ b/a.js', ...HUNK, '')])).toEqual([
      'one\n2\nthree\nfour\n',
    ]);
  });

  test('may have wrong line numbers and counts, or none', () => {
    for (const header of ['@@ -90,1 +70,9 @@ function', '@@', '@@ … @@']) {
      expect(outcome([patching(header, ...HUNK.slice(1))])).toEqual(['one\n2\nthree\nfour\n']);
    }
  });

  test('may have several hunks, which stand in the order of the file', () => {
    const [first, second] = [
      ['@@ -1 +1 @@', '-one', '+1'],
      ['@@ -4 +4 @@', '-four', '+4'],
    ];
    expect(outcome([patching(...first, ...second)])).toEqual(['1\ntwo\nthree\n4\n']);
    expect(faults({ edits: [patching(...second, ...first)] })[0]).toMatch(/stand before those of the hunk above it/);
  });

  test('chooses among equal places by the line it states, in the numbers of the file as it was', () => {
    const tree = { 'a.js': 'x\ny\nx\ny\nx\n' };
    const grow = ['@@ -1 +1,3 @@', ' x', '+new', '+new'];
    expect(outcome([patching(...grow, '@@ -3 +5 @@', '-x', '+z')], tree)).toEqual(['x\nnew\nnew\ny\nz\ny\nx\n']);
    expect(faults({ edits: [patching('@@ -9 +9 @@', '-x', '+z')] }, tree)[0]).toMatch(
      /its lines stand at 3 places \(lines 1, 3, 5\)/,
    );
  });

  test.each<[string, string[], RegExp]>([
    [
      'context that is not there',
      ['@@ -1,2 +1,2 @@', ' one', '-too', '+2'],
      /begins like line 1, but then line 2 is "two"/,
    ],
    ['a line without a sign', ['@@ -1 +1 @@', '-one', 'eins'], /line 3 of `diff` begins with none of/],
    ['nothing to hold on to', ['@@ -1,0 +1 @@', '+zero'], /no line that stays or goes/],
    ['no hunk', ['--- a/a.js', '+++ b/a.js'], /has no hunk/],
    ['another file', ['--- a/b.js', '+++ b/b.js', '@@ -1 +1 @@', '-one'], /names the file "b.js"/],
    ['a new file', ['--- /dev/null', '+++ b/a.js', '@@ -0,0 +1 @@', '+x'], /makes a new file: give it whole/],
    ['a removal', ['--- a/a.js', '+++ /dev/null', '@@ -1 +0,0 @@', '-one'], /name it in `deleted_files`/],
  ])('with %s is refused', (_, lines, told) => {
    expect(faults({ edits: [patching(...lines)] })).toEqual([expect.stringMatching(told)]);
  });

  test('keeps the line breaks of a CRLF file', () => {
    expect(outcome([patching(...HUNK)], { 'a.js': 'one\r\ntwo\r\nthree\r\n' })).toEqual(['one\r\n2\r\nthree\r\n']);
  });

  test('says where a file without a line break at its end wants its mark, and takes it', () => {
    const tree = { 'a.js': 'one\ntwo' };
    const lines = ['@@ -2 +2 @@', '-two', '+2'];
    expect(faults({ edits: [patching(...lines)] }, tree)[0]).toMatch(/No newline at end of file/);
    const mark = '\\ No newline at end of file';
    expect(outcome([patching('@@ -2 +2 @@', '-two', mark, '+2')], tree)).toEqual(['one\n2\n']);
    expect(outcome([patching('@@ -2 +2 @@', '-two', mark, '+2', mark)], tree)).toEqual(['one\n2']);
    expect(outcome([patching('@@ -1 +1 @@', '-one', '+1')], tree)).toEqual(['1\ntwo']);
  });

  test('fills an empty file, and takes many lines', () => {
    expect(outcome([patching('@@ -0,0 +1,2 @@', '+a', '+b')], { 'a.js': '' })).toEqual(['a\nb\n']);
    const diff = `@@ -1 +1 @@\n one\n${'+x\n'.repeat(300_000)}`;
    expect(outcome([{ path: 'a.js', diff }])).toEqual([`one\n${'x\n'.repeat(300_000)}two\nthree\nfour\n`]);
  });
});

describe('paths', () => {
  test('whole files, edits and deletions of one answer go together', () => {
    const given = { files: [{ path: 'new.js', content: 'n' }], edits: [replacing('one', '1')], deleted: ['b.js'] };
    expect(resolve(given, { 'a.js': FILE, 'b.js': '' })).toEqual({
      ok: true,
      files: [
        { path: 'new.js', content: 'n' },
        { path: 'a.js', content: '1\ntwo\nthree\nfour\n' },
      ],
    });
  });

  test.each<[string, Given, RegExp]>([
    [
      'a missing file',
      { edits: [replacing('x', 'y', 'src/a.js')] },
      /"src\/a.js" is no file of the project; there is "a.js"; edits change files that exist/,
    ],
    [
      'a file given whole',
      { files: [{ path: 'a.js', content: '' }], edits: [replacing('one', '1')] },
      /also given whole/,
    ],
    ['a deleted file', { edits: [replacing('one', '1')], deleted: ['a.js'] }, /also in `deleted_files`/],
    ['a file that is no text', { edits: [replacing('x', 'y', 'b.png')] }, /"b.png": is no text, or too large/],
  ])('an edit of %s is refused', (_, given, told) => {
    expect(faults(given, { 'a.js': FILE, 'b.png': null })).toEqual([expect.stringMatching(told)]);
  });

  test('every fault is told, the edits that fit beside them notwithstanding', () => {
    expect(faults({ edits: [replacing('nine', '9'), replacing('one', '1'), replacing('two', '2', 'no.js')] })).toEqual([
      expect.stringMatching(/^\/edits\/2\/path/),
      expect.stringMatching(/^\/edits\/0/),
    ]);
  });

  test('there are bounds', () => {
    const edits = Array.from({ length: EDITS_LIMIT + 1 }, () => replacing('one', 'one'));
    expect(faults({ edits })).toEqual([expect.stringMatching(/^\/edits: 501 edits: at most 500/)]);
  });
});

test('a diff made from two texts turns the one into the other, whatever line it states', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', '', ' c', '-d', '+e', '@@'), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(lines, lines, fc.nat(50), (old, now, stated) => {
      const diff = [`@@ -${stated} +1 @@`, ...old.map((line) => `-${line}`), ...now.map((line) => `+${line}`)].join(
        '\n',
      );
      const text = (all: string[]) => all.map((line) => `${line}\n`).join('');
      expect(outcome([{ path: 'a.js', diff }], { 'a.js': text(old) })).toEqual([text(now)]);
    }),
  );
});
