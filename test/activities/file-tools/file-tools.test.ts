import { describe, expect, it } from 'vitest';
import { type FilePlace, runFileTool } from '../../../src/activities/file-tools/file-tools.ts';

const TREE: Record<string, string> = {
  'README.md': '# A\n',
  'src/a.js': 'one\ntwo\nthree\n',
  'src/deep/b.js': 'no end',
  'src/long.js': Array.from({ length: 5000 }, (_, n) => `line ${n + 1} of a long file`).join('\n'),
  'src/wide.js': 'w'.repeat(100_000),
  'test/a.test.js': 'finds two\n',
};
const BINARY = { path: 'logo.png', bytes: 7 };

/** A tree in memory, read as the workspaces read one. */
const PLACE: FilePlace = {
  workflowId: 'w',
  at: { commit: 'c' },
  signal: new AbortController().signal,
  workspaces: {
    listFiles: async () => [
      ...Object.entries(TREE).map(([path, content]) => ({ path, bytes: content.length })),
      BINARY,
    ],
    readFiles: async ({ choose }) => {
      const all = [...Object.entries(TREE).map(([path, content]) => ({ path, bytes: content.length })), BINARY];
      const wanted = new Set(await choose?.(all));
      const files = Object.entries(TREE).flatMap(([path, content]) => (wanted.has(path) ? [{ path, content }] : []));
      return { files, omitted: all.filter(({ path }) => !files.some((file) => file.path === path)) };
    },
  },
};

const call = (name: string, given: unknown): Promise<string> =>
  runFileTool(PLACE, { id: 'x', name, arguments: typeof given === 'string' ? given : JSON.stringify(given) });

describe('read_files', () => {
  it('gives whole files, and says where one has no line break at its end', async () => {
    expect(await call('read_files', { paths: ['src/a.js', 'src/deep/b.js'] })).toBe(
      '### src/a.js (whole)\n```\none\ntwo\nthree\n```\n\n### src/deep/b.js (whole, no line break at its end)\n```\nno end\n```',
    );
  });

  it('gives a range of lines', async () => {
    expect(await call('read_files', { paths: ['src/a.js'], from_line: 2, to_line: 2 })).toBe(
      '### src/a.js (lines 2 to 2 of 3)\n```\ntwo\n```',
    );
    expect(await call('read_files', { paths: ['src/a.js'], from_line: 9 })).toContain('(no such lines: it has 3)');
  });

  it('gives the lines of a long file that fit, whole ones, and says which', async () => {
    const told = await call('read_files', { paths: ['src/long.js'] });
    const [, last] = /\(lines 1 to (\d+) of 5000\)/.exec(told) ?? [];
    expect(told).toContain(`line ${last} of a long file\n\`\`\``);
    expect(told.length).toBeLessThan(31_000);
    expect((await call('read_files', { paths: ['src/wide.js'] })).length).toBeLessThan(31_000);
  });

  it.each([
    ['../../etc/passwd', 'is no file of the project'],
    ['/etc/passwd', 'is no file of the project'],
    ['src', 'is no file of the project'],
    ['logo.png', 'is no text, or too large: 7 bytes'],
  ])('of %s says: %s', async (path, told) => {
    expect(await call('read_files', { paths: [path] })).toBe(`### ${path}\n${told}`);
  });
});

describe('list_files', () => {
  it.each(['', '.', '/', './'])('of the root (%j) lists files and folders', async (folder) => {
    expect(await call('list_files', { folder })).toBe(
      '```\nREADME.md (4 bytes)\nlogo.png (7 bytes)\nsrc/ (4 files)\ntest/ (1 files)\n```',
    );
  });

  it('of a folder lists what is in it, and of none says so', async () => {
    expect(await call('list_files', { folder: 'src/deep/' })).toBe('```\nb.js (6 bytes)\n```');
    expect(await call('list_files', { folder: '../..' })).toBe('There is no folder "../.." in the project.');
  });
});

describe('search_text', () => {
  it('finds lines by their place, in the whole project or a folder', async () => {
    expect(await call('search_text', { text: 'two' })).toBe(
      '1 files were not searched: they are no text, or too large.\n```\nsrc/a.js:2: two\ntest/a.test.js:1: finds two\n```',
    );
    expect(await call('search_text', { text: 'two', folder: 'src' })).toBe('```\nsrc/a.js:2: two\n```');
    expect(await call('search_text', { text: 'nine', folder: 'src' })).toBe('No line contains it.');
  });

  it('gives the first of many', async () => {
    expect(await call('search_text', { text: 'of a long', folder: 'src' })).toMatch(/^The first 100 of 5000 lines\./);
  });
});

describe('hostile arguments', () => {
  it.each([
    ['read_files', '[]'],
    ['read_files', ''],
    ['read_files', { paths: Array.from({ length: 21 }, () => 'a') }],
    ['read_files', { paths: ['a'], from_line: -1 }],
    ['read_files', { paths: ['a'], from_line: 3, to_line: 2 }],
    ['list_files', { folder: 7 }],
    ['search_text', { text: '' }],
    ['search_text', { text: 'a\nb' }],
    ['__proto__', {}],
  ])('%s %j are answered with what is wrong', async (name, given) => {
    expect(await call(name, given)).toMatch(/^The call was not understood: /);
  });
});
