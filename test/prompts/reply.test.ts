import { describe, expect, test } from 'vitest';
import { parseReply } from '../../src/prompts/reply.ts';

const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const faultOf = (reply: string) => {
  const parsed = parseReply(reply);
  return parsed.ok ? `accepted ${JSON.stringify(parsed.value)}` : parsed.fault;
};

describe('an object is found', () => {
  test.each([
    ['plain', '{"a":1}'],
    ['with white space and a byte order mark', '\uFEFF\n {"a":1}\n'],
    ['in a fence', '```json\n{"a":1}\n```'],
    ['in a fence without a language, with text around it', 'Here you are:\n```\n{"a":1}\n```\nEnjoy {it}!'],
    ['in a fence that is never closed', '```json\n{"a":1}'],
    ['in a fence on one line', 'Sure: ```json {"a":1}``` done'],
    ['with text around it', 'The result is {"a":1}, as asked.'],
    ['after braces that are no JSON', 'I filled in {placeholder} and {another}, hence {"a":1}'],
    ['before another one', '{"a":1}\n{"a":2}'],
    ['in a fence after a draft in the text', 'First {"a":0}.\n```json\n{"a":1}\n```'],
    ['in the text when the fence holds none', 'First {"a":1}.\n```json\n{oops}\n```'],
    ['after a thought with a draft', '<think>maybe {"a":0} or {"a": </think>\n{"a":1}'],
  ])('%s', (_, reply) => {
    expect(parseReply(reply)).toEqual({ ok: true, value: { a: 1 } });
  });

  test('whatever braces, quotes, escapes and fences its strings hold', () => {
    const value = {
      code: 'if (a) { "}" \\" \\\\',
      doc: 'Use:\n```json\n{"x":1}\n```\n```{}```',
      list: ['}', '{', ']', '\\'],
    };
    for (const reply of [
      JSON.stringify(value),
      JSON.stringify(value, null, 2),
      `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``,
    ]) {
      expect(parseReply(reply)).toEqual({ ok: true, value });
    }
  });

  test('nested 64 deep', () => {
    expect(parseReply(nested(64)).ok).toBe(true);
  });
});

describe('a reply is refused with a fault that says why', () => {
  test.each([
    ['empty', '', /no JSON object/],
    ['only text', 'I would rather not.', /no JSON object/],
    ['only an array', '[1, 2]', /no JSON object/],
    ['cut off, though a whole object stands inside', '{"files":[{"path":"a"}', /cut off/],
    ['cut off in a string', '{"a":"}', /cut off/],
    ['not JSON', "{'a':1}", /not valid JSON/],
    ['with a line break in a string', '{"a":"x\ny"}', /not valid JSON/],
    ['nested 65 deep', nested(65), /nested 65 deep; at most 64/],
    ['nested deeper than any stack', nested(200_000), /nested 200000 deep/],
    ['of brackets that are not paired', '{"a":[1}', /cut off/],
    ['too long', `{"a":"${'x'.repeat(2 * 1024 * 1024)}"}`, /characters; at most/],
  ])('%s', (_, reply, fault) => {
    expect(faultOf(reply)).toMatch(fault);
  });

  test('and the fault of a huge broken answer stays short', () => {
    expect(faultOf(`{"a":"${'x'.repeat(100_000)}" b}`).length).toBeLessThan(300);
  });
});

test.each([
  ['opening braces', '{'],
  ['empty pairs', '{x}'],
  ['quotes', '{"'],
  ['backslashes', '{"\\'],
  ['fences', '\n```{'],
  ['white space after a fence', '```      '],
])('a megabyte of %s is refused without reading it over and over', (_, unit) => {
  expect(parseReply(unit.repeat(Math.floor(1_000_000 / unit.length))).ok).toBe(false);
});
