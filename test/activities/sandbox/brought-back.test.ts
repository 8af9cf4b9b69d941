import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpackFiles } from '../../../src/activities/sandbox/brought-back.ts';

const LIMITS = { files: 100, bytes: 100_000 };
const run = promisify(execFile);

let dir: string;
let from: string;
let into: string;
let archive: string;
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'q-back-')));
  [from, into, archive] = [join(dir, 'from'), join(dir, 'into'), join(dir, 'back.tar')];
  await mkdir(from);
  await mkdir(into);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const pack = async (...args: string[]): Promise<void> => {
  await run('tar', ['-C', from, '--format=ustar', '-P', '-cf', archive, ...args]);
};
const filesOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

describe('files that come back', () => {
  it('have their paths and contents, whatever the size', async () => {
    await mkdir(join(from, 'a/b'), { recursive: true });
    await writeFile(join(from, 'a/b/large'), Buffer.alloc(70_001, 7));
    await writeFile(join(from, 'empty'), '');
    await writeFile(join(from, 'block'), 'x'.repeat(512));
    await pack('.');
    await unpackFiles(archive, into, LIMITS);
    expect(await filesOf(into)).toEqual(['a/b/large', 'block', 'empty']);
    expect(await readFile(join(into, 'a/b/large'))).toEqual(Buffer.alloc(70_001, 7));
    expect(await readFile(join(into, 'block'), 'utf8')).toBe('x'.repeat(512));
  });

  it('are neither links nor pipes', async () => {
    await symlink('/etc/passwd', join(from, 'link'));
    await run('mkfifo', [join(from, 'pipe')]);
    await writeFile(join(from, 'file'), 'x');
    await run('ln', [join(from, 'file'), join(from, 'hard')]);
    await pack('.');
    await unpackFiles(archive, into, LIMITS);
    // Which of the two names of one file is the link, the order in the folder decides.
    expect((await filesOf(into)).filter((name) => name !== 'hard' && name !== 'file')).toEqual([]);
    expect(await filesOf(into)).toHaveLength(1);
  });

  it('lead nowhere else: not by their path, and not through a link that stands in the folder', async () => {
    await mkdir(join(dir, 'elsewhere'));
    await symlink(join(dir, 'elsewhere'), join(into, 'door'));
    await symlink(join(dir, 'elsewhere/named'), join(into, 'name'));
    await mkdir(join(from, 'door'));
    for (const name of ['door/in', 'name']) await writeFile(join(from, name), 'x');
    await writeFile(join(dir, 'up'), 'x');
    await pack('../up', join(dir, 'up'), 'door/in', 'name');
    await rm(join(dir, 'up'));
    await unpackFiles(archive, into, LIMITS);
    expect(await readdir(join(dir, 'elsewhere'))).toEqual([]);
    expect((await readdir(dir)).sort()).toEqual(['back.tar', 'elsewhere', 'from', 'into']);
    expect((await readdir(into)).sort()).toEqual(['door', 'name']);
  });

  it('are no more than the limits say, in number and in bytes', async () => {
    for (const name of ['a', 'b', 'c']) await writeFile(join(from, name), 'x'.repeat(1000));
    await pack('a', 'b', 'c');
    await unpackFiles(archive, into, { files: 2, bytes: 100_000 });
    expect(await filesOf(into)).toEqual(['a', 'b']);
    await rm(join(into, 'b'));
    await unpackFiles(archive, into, { files: 100, bytes: 1999 });
    expect(await filesOf(into)).toEqual(['a']);
  });

  it('do no harm whatever bytes claim to be an archive', async () => {
    await writeFile(join(from, 'a'), 'x'.repeat(600));
    await pack('a');
    const whole = await readFile(archive);
    const spoilt = fc.tuple(fc.nat(whole.length - 1), fc.uint8Array({ maxLength: 200 }));
    await fc.assert(
      fc.asyncProperty(spoilt, fc.nat(whole.length), async ([at, bytes], length) => {
        const content = Buffer.from(whole);
        content.set(bytes.subarray(0, content.length - at), at);
        await writeFile(archive, content.subarray(0, length));
        await unpackFiles(archive, into, LIMITS);
        expect((await readdir(dir)).sort()).toEqual(['back.tar', 'from', 'into']);
      }),
      { numRuns: 150 },
    );
  });
});
