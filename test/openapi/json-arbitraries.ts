import fc from 'fast-check';

/** Texts as people write them: any script, emoji, white space, quotes; neither NUL nor halves of surrogate pairs. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll('\0', '')) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', ' ', '\t', '"', "'", '\\', '%', '%00', '../..', '<b>', '$x', '__proto__'),
  },
);

/** JSON that can be stored. */
export const anyJson: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  json: fc.oneof({ depthSize: 'small' }, tie('leaf'), fc.array(tie('json'), { maxLength: 3 }), tie('object')),
  object: fc.dictionary(anyText, tie('json'), { maxKeys: 4 }),
  leaf: fc.oneof(
    anyText,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  ),
})).json;

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { in: value };
  return value;
}

/** Values that no call should choke on, whatever it expects. */
export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  anyJson,
  fc.constantFrom<unknown>(
    null,
    '',
    '\0',
    'a\0b',
    '\ud800',
    'x\udfffy',
    '\u202e',
    -1,
    0.5,
    1e308,
    Number.MAX_SAFE_INTEGER + 2,
    true,
    [],
    {},
    [[]],
    { length: 1 },
    { toString: 'x', constructor: { prototype: null } },
    JSON.parse('{"__proto__": {"polluted": true}}'),
  ),
  fc.integer({ min: 1, max: 5000 }).map((length) => 'x'.repeat(length)),
  fc.constantFrom(60, 70, 200, 3000).map(nested),
);
