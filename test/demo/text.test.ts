import { describe, expect, it } from 'vitest';
import { clean, cut, widthOf, wrap } from '../../src/demo/text.ts';

describe('text of others', () => {
  it.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['a cleared screen', 'a\u001b[2J\u001b[Hb', 'ab'],
    ['a window title', 'a\u001b]0;title\u0007b', 'ab'],
    ['a carriage return that would overwrite', 'bad\rgood', 'bad good'],
    ['line ends and tabs', ' a\n\tb\u2028c ', 'a b c'],
    ['C1 controls', 'a\u009b31mb', 'ab'],
    ['a reversal of the reading direction', 'a\u202eb\u2066c', 'abc'],
    ['half a surrogate pair', 'a\ud800b', 'ab'],
    ['a zero byte', 'a\0b', 'a b'],
  ])('is printed without %s', (_, given, expected) => {
    expect(clean(given)).toBe(expected);
  });

  it.each([
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['漢字', 4],
    ['한글', 4],
    ['🙂', 2],
    ['→ ✓ ✗', 5],
  ])('%s takes its columns', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  it.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdefg', 6, 'abcde…'],
    ['漢字漢字', 5, '漢字…'],
    ['abc', 0, ''],
  ])('%s is cut to %i columns', (text, width, expected) => {
    expect(cut(text, width)).toBe(expected);
  });

  it.each([
    ['at spaces', 'one two three four', 9, 5, ['one two', 'three', 'four']],
    ['a long word anywhere', 'abcdefghijkl', 5, 5, ['abcde', 'fghij', 'kl']],
    ['where a word just fits', 'abcde fghij', 5, 5, ['abcde', 'fghij']],
    ['and is cut at the last line', 'one two three four', 7, 2, ['one two', 'three…']],
    ['nothing at all', '', 7, 2, []],
  ])('is broken %s', (_, text, width, maxLines, expected) => {
    expect(wrap(text, width, maxLines)).toEqual(expected);
  });
});
