import fc from 'fast-check';

const FIRST_SURROGATE = 0xd800;
const SURROGATES = 0x800;
const LAST_CODE_POINT = 0x10ffff;

/**
 * Any character of Unicode, from NUL to the last plane; no half of a pair. It is computed both ways: fast-check's own
 * `unit: 'binary'` keeps a table of all million of them, which takes a second and makes each process that a test starts dearer.
 */
const anyCharacter = fc
  .integer({ min: 0, max: LAST_CODE_POINT - SURROGATES })
  .map((index) => String.fromCodePoint(index < FIRST_SURROGATE ? index : index + SURROGATES), indexOf);

/** What is refused here is made smaller by other means. */
function indexOf(given: unknown): number {
  const code = typeof given === 'string' ? given.codePointAt(0) : undefined;
  if (code === undefined || String.fromCodePoint(code) !== given || /\p{Cs}/u.test(given)) {
    throw new TypeError('not one character');
  }
  return code < FIRST_SURROGATE ? code : code - SURROGATES;
}

/** Text of any characters at all, control characters and unassigned ones among them. */
export const unicodeText = (lengths: Readonly<{ maxLength?: number }> = {}): fc.Arbitrary<string> =>
  fc.string({ ...lengths, unit: anyCharacter });
