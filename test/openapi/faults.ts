import fc from 'fast-check';
import type { Schema } from '../../src/api/openapi/types.ts';
import { anyText, hostileJson } from './json-arbitraries.ts';

type Broken = Readonly<{ value: unknown; about: string }>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const without = (value: Record<string, unknown>, name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));

/** A body with one thing done to it, which is a fault more often than not. */
export function breakJson(
  body: unknown,
  ref: string | undefined,
  schemas: Readonly<Record<string, Schema>>,
): fc.Arbitrary<Broken> {
  const replaced = hostileJson.map((value) => ({ value, about: 'something else' }));
  if (!isObject(body)) return replaced;
  const { required = [], properties = {} } = schemas[ref?.split('/').at(-1) ?? ''] ?? {};
  const names = [...new Set([...Object.keys(properties), ...Object.keys(body)])];
  const missing = required.map((name) => ({ value: without(body, name), about: `without ${name}` }));
  const other = fc.tuple(fc.constantFrom(...names), hostileJson).map(([name, value]) => {
    return { value: { ...body, [name]: value }, about: `another ${name}` };
  });
  const extra = fc.tuple(anyText, hostileJson).map(([name, value]) => {
    return { value: { ...body, [`${name}_`]: value }, about: 'an unknown field' };
  });
  return fc.oneof(
    { weight: 6, arbitrary: other },
    { weight: 2, arbitrary: extra },
    { weight: 1, arbitrary: replaced },
    ...(missing.length > 0 ? [{ weight: 2, arbitrary: fc.constantFrom(...missing) }] : []),
  );
}

type BrokenBody = Readonly<{
  body: string | Uint8Array | null;
  headers: Readonly<Record<string, string>>;
  about: string;
}>;

const JSON_TYPE = { 'Content-Type': 'application/json' };

const TYPES = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'application/xml',
  '*/*',
  ';',
  'json',
];
const CHARSETS = ['latin1', 'utf-16', 'UTF-8', '"utf-8"', 'utf8', ''];
const CODINGS = ['gzip', 'br', 'deflate', 'rot13', 'identity', 'gzip, gzip'];

/** Bodies that are no JSON, or not sent as such. */
export const brokenBody: fc.Arbitrary<BrokenBody> = fc.oneof(
  fc.uint8Array({ maxLength: 50 }).map((body) => ({ body, headers: JSON_TYPE, about: 'bytes' })),
  fc
    .constantFrom(
      '',
      '{',
      '[1,',
      '{"a":1}}',
      '{"a":NaN}',
      "{'a':1}",
      'null',
      '"',
      '{"a":"\u0001"}',
      '\ufeff{}',
      '{"a":1,"a":2}',
    )
    .map((body) => ({ body, headers: JSON_TYPE, about: 'no JSON' })),
  fc.constantFrom(70, 700, 20_000).map((depth) => {
    return { body: '['.repeat(depth) + ']'.repeat(depth), headers: JSON_TYPE, about: 'nested' };
  }),
  fc.constant({ body: `{"a":"${'x'.repeat(1_100_000)}"}`, headers: JSON_TYPE, about: 'too large' }),
  fc.constantFrom(...TYPES).map((type) => ({ body: '{}', headers: { 'Content-Type': type }, about: type })),
  fc.constantFrom(...CHARSETS).map((charset) => {
    return {
      body: '{}',
      headers: { 'Content-Type': `application/json; charset=${charset}` },
      about: `charset ${charset}`,
    };
  }),
  fc.constantFrom(...CODINGS).map((coding) => {
    return { body: '{}', headers: { ...JSON_TYPE, 'Content-Encoding': coding }, about: `coding ${coding}` };
  }),
  fc.constant({ body: null, headers: JSON_TYPE, about: 'no body' }),
);

/** Everything that Node lets stand in a header's value. */
const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 300,
});
const HEADERS = [
  'Idempotency-Key',
  'Authorization',
  'X-Request-Id',
  'Accept',
  'Last-Event-ID',
  'Origin',
  'If-None-Match',
  'Range',
  'Cookie',
];

export const breakHeaders: fc.Arbitrary<Readonly<Record<string, string>>> = fc.dictionary(
  fc.constantFrom(...HEADERS),
  fc.oneof(headerText, fc.constantFrom('', 'null', '*', 'Bearer ', 'bytes=0-1', 'https://evil.test', 'x'.repeat(2000))),
  { minKeys: 1, maxKeys: 3 },
);

const SNIPPETS = [
  '%',
  '%00',
  '%2F',
  '%2e%2e',
  '%E0%A4',
  '%ff',
  '/',
  '//',
  '/..',
  '/.',
  ';a=b',
  '?',
  '?a=1&a=2',
  '?limit=0',
  '?limit=1&limit=2',
  '?cursor=x',
  '?limit[]=1',
  '?__proto__=1',
  '&',
  '#',
  '%0d%0aX-Evil:1',
  '%F0%9F%98%80',
  ':',
  '*',
  '()',
  'A'.repeat(300),
];

/** A path with something put in, or of nothing at all. */
export function breakPath(path: string): fc.Arbitrary<string> {
  const garbage = fc.string({ maxLength: 40 }).map((text) => `/${text.replace(/[^\x21-\x7e]/g, '')}`);
  const put = fc.tuple(fc.nat({ max: path.length - 1 }), fc.constantFrom(...SNIPPETS));
  return fc.oneof(
    { weight: 5, arbitrary: put.map(([at, text]) => `${path.slice(0, at + 1)}${text}${path.slice(at + 1)}`) },
    { weight: 2, arbitrary: fc.constantFrom(...SNIPPETS).map((text) => `${path}${text}`) },
    { weight: 1, arbitrary: garbage },
  );
}

export const ODD_METHODS = fc.constantFrom(
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'PATCH',
  'TRACE',
  'GET',
  'POST',
  'PROPFIND',
  'QUERY',
);
