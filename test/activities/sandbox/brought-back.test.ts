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
let folder: string;
let archive: string;
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'q-back-')));
  [folder, archive] = [join(dir, 'folder'), join(dir, 'back.tar')];
  await mkdir(folder);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Makes an archive of these paths below the folder, and empties the folder. */
async function pack(...paths: string[]): Promise<void> {
  const names = paths.map((path) => join(folder, path).slice(1));
  await run('tar', ['-C', '/', '--format=ustar', '-cf', archive, '--', ...names]);
  await rm(folder, { recursive: true });
  await mkdir(folder);
}
const filesOf = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

describe('files that come back', () => {
  it('have their paths and contents, whatever the size', async () => {
    await mkdir(join(folder, 'a/b'), { recursive: true });
    await writeFile(join(folder, 'a/b/large'), Buffer.alloc(70_001, 7));
    await writeFile(join(folder, 'empty'), '');
    await writeFile(join(folder, 'block'), 'x'.repeat(512));
    await pack('.');
    await unpackFiles(archive, [folder], LIMITS);
    expect(await filesOf()).toEqual(['a/b/large', 'block', 'empty']);
    expect(await readFile(join(folder, 'a/b/large'))).toEqual(Buffer.alloc(70_001, 7));
    expect(await readFile(join(folder, 'block'), 'utf8')).toBe('x'.repeat(512));
  });

  it('are neither links nor pipes', async () => {
    await symlink('/etc/passwd', join(folder, 'link'));
    await run('mkfifo', [join(folder, 'pipe')]);
    await writeFile(join(folder, 'file'), 'x');
    await pack('link', 'pipe', 'file');
    await unpackFiles(archive, [folder], LIMITS);
    expect(await filesOf()).toEqual(['file']);
  });

  it('stay in their folders, and are not written through a link that stands there', async () => {
    const elsewhere = join(dir, 'elsewhere');
    await mkdir(join(folder, 'door/deep'), { recursive: true });
    for (const name of ['door/in', 'door/deep/in', 'name']) await writeFile(join(folder, name), 'x');
    await writeFile(join(dir, 'beside'), 'x');
    await pack('../beside', 'door/in', 'door/deep/in', 'name');
    await rm(join(dir, 'beside'));
    await mkdir(elsewhere);
    await symlink(elsewhere, join(folder, 'door'));
    await symlink(join(elsewhere, 'named'), join(folder, 'name'));
    await unpackFiles(archive, [folder], LIMITS);
    expect(await readdir(elsewhere)).toEqual([]);
    expect((await readdir(dir)).sort()).toEqual(['back.tar', 'elsewhere', 'folder']);
    expect((await readdir(folder)).sort()).toEqual(['door', 'name']);
  });

  it('are no more than the limits say, in number and in bytes', async () => {
    for (const name of ['a', 'b', 'c']) await writeFile(join(folder, name), 'x'.repeat(1000));
    await pack('a', 'b', 'c');
    await unpackFiles(archive, [folder], { files: 2, bytes: 100_000 });
    expect(await filesOf()).toEqual(['a', 'b']);
    await rm(join(folder, 'b'));
    await unpackFiles(archive, [folder], { files: 100, bytes: 1999 });
    expect(await filesOf()).toEqual(['a']);
  });

  it('do no harm whatever bytes claim to be an archive', async () => {
    await writeFile(join(folder, 'a'), 'x'.repeat(600));
    await pack('a');
    const whole = await readFile(archive);
    const spoilt = fc.tuple(fc.nat(whole.length - 1), fc.uint8Array({ maxLength: 200 }));
    await fc.assert(
      fc.asyncProperty(spoilt, fc.nat(whole.length), async ([at, bytes], length) => {
        const content = Buffer.from(whole);
        content.set(bytes.subarray(0, content.length - at), at);
        await writeFile(archive, content.subarray(0, length));
        await unpackFiles(archive, [folder], LIMITS);
        expect((await readdir(dir)).sort()).toEqual(['back.tar', 'folder']);
      }),
      { numRuns: 150 },
    );
  });
});
