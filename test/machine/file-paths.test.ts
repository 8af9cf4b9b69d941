import { isAbsolute, join, normalize } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkFiles, FILE_LIMITS } from '../../src/machine/file-paths.ts';
import { unicodeText } from '../unicode-text.ts';

const filesOf = (...paths: string[]) => paths.map((path) => ({ path, content: 'x' }));

describe('files from a model', () => {
  test.each([
    'index.js',
    'src/deep/er/index.js',
    'src/[id]/page name.js',
    '.gitignore',
    '.github/workflows/ci.yml',
    'docs/größe.md',
    'src/console.js',
    'a...b/..c',
    'git/x',
    'nul-safe.js',
  ])('may have the path %j', (path) => {
    expect(checkFiles(filesOf(path))).toEqual([]);
  });

  test.each([
    ['', /empty/],
    ['/etc/passwd', /absolute/],
    ['C:/x', /not every system/],
    ['../x', /stay inside/],
    ['a/../../x', /stay inside/],
    ['./x', /stay inside/],
    ['a//b', /empty segment/],
    ['a/', /empty segment/],
    ['a\\..\\b', /backslash/],
    ['.git/hooks/pre-commit', /\.git/],
    ['sub/.GIT/config', /\.git/],
    ['.git./config', /\.git/],
    ['.git /config', /\.git/],
    ['.git. . /config', /\.git/],
    ['GIT~1/config', /\.git/],
    ['git~2', /\.git/],
    ['.g\u200cit/config', /invisible/],
    ['\ufeff.git/config', /invisible/],
    ['.ｇｉｔ/config', /\.git/],
    ['.git::$INDEX_ALLOCATION/config', /not every system/],
    ['a\0b', /control/],
    ['a\nb', /control/],
    ['a\u202eb', /invisible/],
    ['a\ud800b', /broken/],
    ['con', /device/],
    ['src/NUL.js', /device/],
    ['com1.txt', /device/],
    ['LPT9', /device/],
    ['trailing.', /dot or a space/],
    ['trailing /x', /dot or a space/],
    ['a"b', /not every system/],
    ['x'.repeat(256), /255/],
    ['ü'.repeat(128), /255/],
    [`${'x/'.repeat(512)}y`, /1024/],
  ])('may not have the path %j', (path, reason) => {
    const faults = checkFiles(filesOf('good.js', path));
    expect(faults).toHaveLength(1);
    expect(faults[0]?.at).toBe('/files/1/path');
    expect(faults[0]?.fault).toMatch(reason);
  });

  test.each([
    [['a.js', 'a.js'], /twice/],
    [['README.md', 'readme.MD'], /spelling/],
    [['Src/a.js', 'src/b.js'], /spelling/],
    [['caf\u00e9.js', 'cafe\u0301.js'], /spelling/],
    [['a', 'a/b'], /both a file and a folder/],
    [['a/b', 'a'], /both a file and a folder/],
    [['A', 'a/b'], /spelling/],
  ])('may not collide: %j', (paths, reason) => {
    expect(checkFiles(filesOf(...paths)).map(({ fault }) => fault)).toEqual([expect.stringMatching(reason)]);
  });

  test('are bounded in number, in size and in the number of faults told', () => {
    const many = Array.from({ length: FILE_LIMITS.files + 1 }, (_, index) => ({ path: `f${index}`, content: '' }));
    expect(checkFiles(many)).toHaveLength(1);
    expect(checkFiles(many.slice(1))).toEqual([]);
    expect(checkFiles([{ path: 'big', content: 'ü'.repeat(FILE_LIMITS.totalBytes / 2) }])).toEqual([]);
    expect(checkFiles([{ path: 'big', content: 'ü'.repeat(FILE_LIMITS.totalBytes / 2 + 1) }])).toHaveLength(1);
    expect(checkFiles(filesOf(...Array.from({ length: 500 }, () => '../x')))).toHaveLength(20);
  });

  test('may not hold text that would be altered when it is stored', () => {
    expect(checkFiles([{ path: 'a', content: 'x\udc00' }])).toEqual([
      { at: '/files/0/content', fault: expect.stringMatching(/surrogate/) },
    ]);
  });

  test('that are accepted stay inside the root, out of .git, and apart from each other', () => {
    const segment = fc.oneof(
      fc.constantFrom('..', '.', '', '.git', '.GiT', 'git~1', '.git.', 'con', 'a', 'A', 'b', 'ä', 'a\u0308', '/', '\\'),
      unicodeText({ maxLength: 6 }),
    );
    const path = fc.array(segment, { maxLength: 4 }).map((segments) => segments.join('/'));
    fc.assert(
      fc.property(fc.array(path, { maxLength: 6 }), (paths) => {
        if (checkFiles(filesOf(...paths)).length > 0) return;
        for (const each of paths) {
          expect(isAbsolute(each)).toBe(false);
          expect(normalize(join('/root', each))).toBe(`/root/${each}`);
          expect(each.toLowerCase().split('/')).not.toContain('.git');
          expect(each).not.toMatch(/[\p{Cc}\p{Cs}"\\]/u);
        }
        const keys = paths.map((each) => each.normalize('NFC').toLowerCase());
        expect(new Set(keys).size).toBe(keys.length);
        for (const key of keys) expect(keys.some((other) => other.startsWith(`${key}/`))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
