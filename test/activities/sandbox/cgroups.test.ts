import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCgroups } from '../../../src/activities/sandbox/cgroups.ts';

/** The kernel makes the files of a group; a plain folder stands in for it where nothing needs to be written. */
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'q-cgroups-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const group = async (path: string, files: Readonly<Record<string, string>> = {}): Promise<void> => {
  await mkdir(join(root, path), { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(root, path, name), content);
};

describe('control groups', () => {
  it('are not used where none are mounted', async () => {
    expect(await findCgroups(root, '0::/\n')).toBeNull();
    expect(await findCgroups(root, '')).toBeNull();
  });

  it('are not used where a group cannot be made or limited, and then none stays', async () => {
    await group('memory/worker');
    await group('pids/worker');
    expect(await findCgroups(root, '8:pids:/worker\n4:memory:/worker\n')).toBeNull();
    expect(await readdir(join(root, 'memory/worker'))).toEqual([]);
    expect(await readdir(join(root, 'pids/worker'))).toEqual([]);
  });

  it('are not used in version 2 where no group above hands on both controllers', async () => {
    await group('a/b', { 'cgroup.subtree_control': 'memory\n' });
    await group('a', { 'cgroup.subtree_control': 'cpu pids\n' });
    expect(await findCgroups(root, '0::/a/b\n')).toBeNull();
    expect((await readdir(join(root, 'a'))).sort()).toEqual(['b', 'cgroup.subtree_control']);
  });

  it('left behind by a worker that is gone are removed, those of a living one are not', async () => {
    const gone = 2 ** 22 + 1;
    await group(`memory/q-sandbox-${gone}-1`);
    await group(`memory/q-sandbox-${process.pid}-7`);
    await group('memory/another');
    await group('pids');
    await findCgroups(root, '8:pids:/\n4:memory:/\n');
    expect((await readdir(join(root, 'memory'))).sort()).toEqual(['another', `q-sandbox-${process.pid}-7`]);
  });
});

const own = await findCgroups();
const needed = process.platform === 'linux' ? await readFile('/proc/self/cgroup', 'utf8') : '';

describe.skipIf(own === null || !needed.includes(':memory:'))('a control group of this machine', () => {
  it('has its limits from the start, and is gone when it is closed', async () => {
    const opened = await own?.open({ memoryBytes: 100 * 1024 * 1024, processes: 12 });
    const [memory = '', pids = ''] = (opened?.joinFiles ?? []).map((file) => join(file, '..'));
    expect(await readFile(join(memory, 'memory.limit_in_bytes'), 'utf8')).toBe(`${100 * 1024 * 1024}\n`);
    expect(await readFile(join(pids, 'pids.max'), 'utf8')).toBe('12\n');
    await opened?.close();
    for (const folder of [memory, pids]) await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
