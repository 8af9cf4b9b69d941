import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createWorkspaces, type Workspaces } from '../../../src/activities/workspace/workspaces.ts';
import { type ArtifactStore, createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import {
  attempt,
  attemptInput,
  type Machines,
  openMachines,
  NEVER as signal,
  WORKFLOW_ID as workflowId,
} from './fixture.ts';

const DISK_BYTES = 8 * 1024 * 1024;

const run = (program: string, ...args: string[]): number | null => spawnSync(program, args).status;

/** A disk of its own needs the right to mount one. */
const mayMount = (): boolean =>
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  run('unshare', '--mount', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt') === 0;

let machines: Machines;
let disk = '';
let store: ArtifactStore;
let workspaces: Workspaces;

/** Bytes that do not compress. */
const noise = (bytes: number): string => {
  const line = (): string => Math.random().toString(36).slice(2);
  return Array.from({ length: Math.ceil(bytes / 10) }, line)
    .join('')
    .slice(0, bytes);
};

/** Leaves so much on the disk, and no more. */
async function fill(freeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(disk);
  await writeFile(join(disk, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - freeBytes)));
}
const free = (): Promise<void> => rm(join(disk, 'filler'));

describe.skipIf(!mayMount())('a full disk', () => {
  beforeEach(async () => {
    machines = await openMachines();
    disk = join(machines.dir, 'disk');
    await mkdir(disk);
    expect(run('mount', '-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk)).toBe(0);
  });
  afterEach(async () => {
    run('umount', '--lazy', disk);
    await machines.remove();
  });

  /** Which of the two folders lies on the disk that gets full. */
  function place(full: 'workspaces' | 'artifacts'): void {
    store = createFolderStore(join(full === 'artifacts' ? disk : machines.dir, 'artifacts'));
    workspaces = createWorkspaces({
      rootDir: join(full === 'workspaces' ? disk : machines.dir, 'repositories'),
      store,
    });
  }

  const files = [{ path: 'large.txt', content: noise(400_000) }];

  test.each([
    ['workspaces', 0],
    ['workspaces', 4096],
    ['workspaces', 16_384],
    ['workspaces', 65_536],
    // The commit fits, and what is made of it for the bundle does not.
    ['workspaces', 400_000],
    ['workspaces', 500_000],
    ['artifacts', 0],
    ['artifacts', 4096],
    ['artifacts', 200_000],
  ] as const)('of the %s with %d bytes left fails the attempt in words, and the next try works', async (full, left) => {
    place(full);
    const first = await workspaces.commitAttempt(attemptInput());
    const on = { base: first.commit, bundle: first.bundle, advanceTo: first.commit, attempt: attempt(2), files };
    await fill(left);
    const error = await workspaces.commitAttempt(attemptInput(on)).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      code: 'workspace_failed',
      message: expect.stringMatching(/^The disk of the .* is full/),
    });
    expect(String(error)).not.toContain(machines.dir);
    await expect(workspaces.treeOf({ workflowId, commit: first.commit, signal })).resolves.toBe(first.tree);
    await free();
    const made = await workspaces.commitAttempt(attemptInput(on));
    const elsewhere = createWorkspaces({ rootDir: join(machines.dir, 'elsewhere'), store });
    const { commit, bundle } = made;
    expect(await elsewhere.listFiles({ workflowId, commit, bundle, signal })).toHaveLength(2);
  });

  test('fails the opening of a source in words, leaves nothing of it, and the next try works', async () => {
    place('workspaces');
    const origin = join(machines.dir, 'origin');
    execFileSync('git', ['init', '--quiet', origin]);
    await writeFile(join(origin, 'large.txt'), noise(2_000_000));
    execFileSync('git', ['-C', origin, 'add', '--all']);
    execFileSync('git', ['-C', origin, '-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '--quiet', '-m', 'x']);
    const source = { kind: 'path', path: origin, ref: null } as const;
    const rules = { paths: 'any', ownPaths: [], privateAddresses: false } as const;
    for (const left of [0, 100_000, 1_500_000, 2_000_000]) {
      await fill(left);
      await expect(workspaces.openSource({ workflowId, source, rules, signal })).rejects.toThrow(
        /^The disk of the .* is full/,
      );
      expect(
        (await readdir(join(disk, 'repositories')).catch(() => [])).filter((name) => name.startsWith('.')),
      ).toEqual([]);
      await free();
    }
    const { commit } = await workspaces.openSource({ workflowId, source, rules, signal });
    expect(await workspaces.listFiles({ workflowId, commit, signal })).toHaveLength(1);
  });

  test('fails the fetching of a commit and the laying out of a tree in words', async () => {
    place('artifacts');
    const { commit, bundle } = await machines.workspaces.commitAttempt(attemptInput({ files }));
    const second = createWorkspaces({ rootDir: join(disk, 'repositories'), store: machines.store });
    const at = { workflowId, commit, bundle, signal };
    for (const left of [0, 50_000, 200_000]) {
      await fill(left);
      await expect(second.listFiles(at)).rejects.toThrow(/^The disk of the .* is full/);
      const intoDir = join(disk, 'out');
      await expect(machines.workspaces.exportTree({ ...at, intoDir })).rejects.toThrow(/^The disk of the .* is full/);
      await rm(intoDir, { recursive: true, force: true });
      await free();
    }
    expect(await second.listFiles(at)).toHaveLength(1);
  });
});
