import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allowedSourcePath, type SourceRules } from '../src/source-paths.ts';

let dir: string;

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'source-paths-')));
  for (const folder of ['repos/shop', 'repos-of-others/bank', 'data/workspaces']) {
    await mkdir(join(dir, folder), { recursive: true });
  }
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const rules = (more: Partial<SourceRules> = {}): SourceRules => ({
  paths: [join(dir, 'repos')],
  ownPaths: [join(dir, 'data')],
  privateAddresses: false,
  ...more,
});
const ask = (path: string, more: Partial<SourceRules> = {}): Promise<string | null> =>
  allowedSourcePath(join(dir, path), rules(more));
const REFUSED = { code: 'source_refused' };

describe('a path of a repository', () => {
  it('is allowed below a folder that the operator named, and the folder itself too', async () => {
    expect(await ask('repos/shop')).toBe(join(dir, 'repos/shop'));
    expect(await ask('repos')).toBe(join(dir, 'repos'));
  });

  it.each(['repos-of-others/bank', 'data/workspaces', '', 'repos/missing/../../data'])(
    'is refused anywhere else: %s',
    async (path) => {
      await expect(ask(path)).rejects.toMatchObject(REFUSED);
    },
  );

  it('is refused where links lead out of the folder', async () => {
    await symlink(join(dir, 'repos-of-others'), join(dir, 'repos/link'));
    await expect(ask('repos/link')).rejects.toMatchObject(REFUSED);
    await expect(ask('repos/link/bank')).rejects.toMatchObject(REFUSED);
  });

  it('is given as it is behind its links, and may be named by either name', async () => {
    await symlink(join(dir, 'repos'), join(dir, 'short'));
    const real = join(dir, 'repos/shop');
    expect(await ask('short/shop')).toBe(real);
    expect(await ask('repos/shop', { paths: [join(dir, 'short')] })).toBe(real);
  });

  it('tells nothing of what is there and not allowed', async () => {
    const told = await Promise.all(
      ['repos-of-others/bank', 'repos-of-others/none'].map((path) =>
        ask(path).catch((error: Error) => error.message.replace(/bank|none/, '')),
      ),
    );
    expect(told[0]).toBe(told[1]);
  });

  it('is null where it would be allowed and nothing is there', async () => {
    expect(await ask('repos/none')).toBeNull();
    await symlink(join(dir, 'repos/loop'), join(dir, 'repos/loop'));
    expect(await ask('repos/loop')).toBeNull();
  });

  it("never is in the product's own folders, by no way", async () => {
    await symlink(join(dir, 'data'), join(dir, 'repos/inside'));
    for (const path of ['data', 'data/workspaces', 'data/none', 'repos/inside/workspaces']) {
      await expect(ask(path, { paths: 'any' })).rejects.toMatchObject({
        ...REFUSED,
        message: expect.stringContaining('DATA_DIR'),
      });
    }
    expect(await ask('repos-of-others/bank', { paths: 'any' })).toBe(join(dir, 'repos-of-others/bank'));
    // A folder that holds the product's own is taken: only what is committed there comes with it.
    expect(await ask('', { paths: 'any' })).toBe(dir);
  });

  it.each(['repos/shop', '/repos/\0', '/repos/../data'])('of the wrong form is refused: %j', async (path) => {
    await expect(allowedSourcePath(path, rules({ paths: 'any' }))).rejects.toMatchObject(REFUSED);
  });
});
