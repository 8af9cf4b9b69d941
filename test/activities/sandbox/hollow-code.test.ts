import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'acorn';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeLines, hollowedCode } from '../../../src/activities/sandbox/hollow-code.ts';

const hollow = (text: string, gives: 'undefined' | 'object' = 'undefined') => hollowedCode(text, gives)?.text;

describe('code without its functions', () => {
  test.each([
    ['function f(a) { return a + 1; }', 'function f(a) {}', 'function f(a) { return {}; }'],
    [
      'export const f = async (a) => a + 1;',
      'export const f = async (a) => undefined;',
      'export const f = async (a) => ({});',
    ],
    ['const f = () => ({ a: 1 });', 'const f = () => (undefined);', 'const f = () => (({}));'],
    [
      'const o = { get a() { return 1; }, *b() { yield 1; } };',
      'const o = { get a() {}, *b() {} };',
      'const o = { get a() { return {}; }, *b() { return {}; } };',
    ],
    [
      'class A { constructor() { this.a = 1; } #b() { return 2; } c = () => 3; }',
      'class A { constructor() { this.a = 1; } #b() {} c = () => undefined; }',
      'class A { constructor() { return {}; } #b() { return {}; } c = () => ({}); }',
    ],
    [
      'class B extends A { constructor() { super(); } b() { return 1; } }',
      'class B extends A { constructor() { super(); } b() {} }',
      'class B extends A { constructor() { super(); } b() { return {}; } }',
    ],
    [
      'export const LIMIT = 3;\nexport const f = () => LIMIT;',
      'export const LIMIT = 3;\nexport const f = () => undefined;',
      'export const LIMIT = ({});\nexport const f = () => ({});',
    ],
    ['export const LIMIT = 3;', 'export const LIMIT = undefined;', 'export const LIMIT = ({});'],
    [
      '#!/usr/bin/env node\nmodule.exports = function () { return 1; };',
      '#!/usr/bin/env node\nmodule.exports = function () {};',
      '#!/usr/bin/env node\nmodule.exports = function () { return {}; };',
    ],
  ])('of %j', (text, nothing, object) => {
    expect(hollow(text)).toBe(nothing);
    expect(hollow(text, 'object')).toBe(object);
  });

  test.each(['', '// words', 'const a = 1;', 'not javascript at all', `${'('.repeat(20_000)}`])(
    'is not made of %j',
    (text) => {
      expect(hollowedCode(text, 'undefined')).toBeNull();
    },
  );

  test('is code again, whatever the recipes write', () => {
    const root = 'src/stack/simulated-model/recipes';
    const paths = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter(({ name }) => name.endsWith('.js'))
      .map((entry) => join(entry.parentPath, entry.name));
    expect(paths.length).toBeGreaterThan(5);
    for (const path of paths) {
      for (const gives of ['undefined', 'object'] as const) {
        const text = hollow(readFileSync(path, 'utf8'), gives) ?? '';
        expect(() => parse(text, { ecmaVersion: 'latest', sourceType: 'module' })).not.toThrow();
      }
    }
  });
});

test('code that is too long or too deep to be parsed beside other work is left as it is', () => {
  const statement = 'export const a = () => 1;\n';
  for (const text of [statement.repeat(50_000), `${'('.repeat(200_000)}1${')'.repeat(200_000)}`]) {
    expect(hollowedCode(text, 'undefined')).toBeNull();
    expect(codeLines(text)).toBeNull();
  }
});

describe('lines with code', () => {
  test('are those with a token, also within a text over several lines', () => {
    const text = '// words\n\nconst a = `one\n\ntwo`;\n/* more\n words */ call(); // and so on\n}';
    expect(codeLines(text)).toBeNull();
    expect([...(codeLines(text.slice(0, -2)) ?? [])]).toEqual([3, 4, 5, 7]);
  });

  test('do not change with comments and blank lines put before them', () => {
    const line = fc.constantFrom('const a = 1;', 'call(2);', 'if (b) {', '}');
    const noise = fc.array(fc.constantFrom('', '  ', '// a comment', '/* another */'), { maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(noise, line), { maxLength: 12 }), (parts) => {
        const plain = codeLines(parts.map(([, code]) => code).join('\n'));
        const noisy = codeLines(parts.map(([before, code]) => [...before, code].join('\n')).join('\n'));
        expect(noisy?.size).toBe(plain?.size);
      }),
    );
  });
});
