import { execFileSync } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { git } from '../../../src/activities/workspace/git.ts';
import { importStream } from '../../../src/activities/workspace/import-stream.ts';
import { withoutStaleLocks } from '../../../src/activities/workspace/stale-locks.ts';
import {
  type CommitAttemptInput,
  createWorkspaces,
  type Workspaces,
} from '../../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';

const workflowId = '3f0c1f0e-6a53-4a38-9a54-0d2f4f1f8a11';
const signal = new AbortController().signal;
let dir = '';
let workspaces: Workspaces;
let repository = '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'workspaces-'));
  workspaces = createWorkspaces({
    rootDir: join(dir, 'repositories'),
    store: createFolderStore(join(dir, 'artifacts')),
  });
  repository = join(dir, 'repositories', `${workflowId}.git`);
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const input = (given: Partial<CommitAttemptInput> = {}): CommitAttemptInput => ({
  workflowId,
  base: null,
  advanceTo: null,
  attempt: { phase: 'implementation', attempt: 1, epoch: 0, run: 1 },
  files: [{ path: 'src/a.js', content: 'a\n' }],
  author: 'code_writer',
  message: 'implementation, attempt 1',
  trailers: { Build: 'build-1', Phase: 'implementation' },
  atMs: 1_700_000_000_000,
  signal,
  ...given,
});
const attempt = (number: number) => ({ phase: 'implementation', attempt: number, epoch: 0, run: 1 });
const show = (...args: string[]) =>
  execFileSync('git', [`--git-dir=${repository}`, ...args], { encoding: 'utf8' }).trim();

describe('a build’s repository', () => {
  test('gets one commit per attempt, by the role, with its trailers and time', async () => {
    const { commit, tree, ref } = await workspaces.commitAttempt(input());
    expect(ref).toBe('refs/heads/attempts/implementation-1-e0-r1');
    expect(show('rev-parse', ref)).toBe(commit);
    expect(show('rev-parse', `${ref}^{tree}`)).toBe(tree);
    expect(await workspaces.treeOf({ workflowId, commit, signal })).toBe(tree);
    expect(show('log', '-1', '--format=%an %ct %s %(trailers:key=Build,valueonly)', ref)).toBe(
      'code_writer 1700000000 implementation, attempt 1 build-1',
    );
    expect(show('fsck', '--strict')).toBe('');
  });

  test('adds to and replaces the files of the base, which stays as it was', async () => {
    const first = await workspaces.commitAttempt(input());
    const second = await workspaces.commitAttempt(
      input({
        base: first.commit,
        attempt: attempt(2),
        files: [
          { path: 'src/a.js', content: 'better\n' },
          { path: 'größe "x"'.replaceAll('"', "'"), content: '' },
        ],
      }),
    );
    expect(await workspaces.readFiles({ workflowId, commit: second.commit, limitBytes: 1000, signal })).toEqual({
      files: [
        { path: "größe 'x'", content: '' },
        { path: 'src/a.js', content: 'better\n' },
      ],
      omitted: [],
    });
    expect(await workspaces.listFiles({ workflowId, commit: first.commit, signal })).toEqual([
      { path: 'src/a.js', bytes: 2 },
    ]);
    expect(show('rev-parse', `${second.commit}^`)).toBe(first.commit);
  });

  test('gets the same commit when an attempt is written again', async () => {
    const first = await workspaces.commitAttempt(input());
    expect(await workspaces.commitAttempt(input())).toEqual(first);
    expect(
      await createWorkspaces({
        rootDir: join(dir, 'elsewhere'),
        store: createFolderStore(join(dir, 'elsewhere')),
      }).commitAttempt(input()),
    ).toEqual(first);
  });

  test('is made once when several attempts come at the same moment', async () => {
    const made = await Promise.all([1, 2, 3, 4].map((n) => workspaces.commitAttempt(input({ attempt: attempt(n) }))));
    expect(new Set(made.map(({ tree }) => tree)).size).toBe(1);
    expect(await readdir(join(dir, 'repositories'))).toEqual([`${workflowId}.git`]);
  });

  test('has only accepted commits on its branch', async () => {
    const first = await workspaces.commitAttempt(input());
    expect(show('for-each-ref', 'refs/heads/build')).toBe('');
    const second = await workspaces.commitAttempt(
      input({ base: first.commit, advanceTo: first.commit, attempt: attempt(2), files: [] }),
    );
    expect(show('rev-parse', 'refs/heads/build')).toBe(first.commit);
    expect(second.tree).toBe(first.tree);
    await workspaces.advanceBuild({ workflowId, commit: second.commit, signal });
    expect(show('rev-parse', 'refs/heads/build')).toBe(second.commit);
    await workspaces.advanceBuild({ workflowId, commit: first.commit, signal });
    expect(show('rev-parse', 'refs/heads/build')).toBe(first.commit);
    expect(show('rev-parse', second.ref)).toBe(second.commit);
  });

  test('refuses hostile files before anything is written', async () => {
    const hostile = input({ files: [{ path: '../../escape', content: 'x' }] });
    await expect(workspaces.commitAttempt(hostile)).rejects.toMatchObject({
      code: 'invalid_phase_result',
      details: { faults: [{ at: '/files/0/path' }] },
    });
    expect(await readdir(dir)).toEqual([]);
  });

  test('stores content byte for byte, also content that looks like commands to git', async () => {
    const content = 'data 3\nabc\ndone\n\r\n\u0000M 100644 inline ../x\n';
    const { commit } = await workspaces.commitAttempt(
      input({ files: [{ path: 'x', content }], message: 'a\ndone\ndata 1' }),
    );
    await workspaces.exportTree({ workflowId, commit, intoDir: join(dir, 'out'), signal });
    expect(await readFile(join(dir, 'out', 'x'), 'utf8')).toBe(content);
  });

  test.each(['', '..', '../x', 'a/b', '-x', '.x', 'a.git'])('refuses %j as a workflow id', async (id) => {
    await expect(workspaces.commitAttempt(input({ workflowId: id }))).rejects.toMatchObject({
      code: 'workspace_failed',
    });
  });

  test.each(['HEAD', '--all', 'a'.repeat(39), `${'a'.repeat(40)}\n`])('refuses %j as a commit', async (commit) => {
    await workspaces.commitAttempt(input());
    await expect(workspaces.listFiles({ workflowId, commit, signal })).rejects.toMatchObject({
      code: 'workspace_failed',
    });
    await expect(workspaces.commitAttempt(input({ base: commit }))).rejects.toMatchObject({ code: 'workspace_failed' });
  });

  test('says what git said when a base is not there', async () => {
    await expect(workspaces.commitAttempt(input({ base: 'a'.repeat(40) }))).rejects.toThrow(
      /git ls-tree in .*fatal: not a tree/s,
    );
    expect(show('for-each-ref')).toBe('');
  });

  test('does nothing when the attempt is cancelled already', async () => {
    const reason = new Error('cancelled');
    await expect(workspaces.commitAttempt(input({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    expect(show('for-each-ref')).toBe('');
  });
});

describe('after a crash', () => {
  test('a stream cut off anywhere moves no branch', async () => {
    const first = await workspaces.commitAttempt(input());
    const stream = Buffer.concat(
      importStream({
        ...input({ base: first.commit, advanceTo: first.commit }),
        ref: 'refs/heads/attempts/cut-1-e0-r1',
        deleted: [],
        executable: new Set(),
      }),
    );
    for (let length = 0; length < stream.length - 1; length += 23) {
      const args = ['fast-import', '--quiet', '--force', '--done'];
      await expect(git({ repository, args, input: [stream.subarray(0, length)], signal })).rejects.toThrow(
        /fast-import/,
      );
    }
    expect(show('for-each-ref', '--format=%(refname)')).toBe(first.ref);
    expect(await workspaces.commitAttempt(input())).toEqual(first);
  });

  test('a half-made repository under a temporary name harms nothing', async () => {
    await mkdir(join(dir, 'repositories', '.new-0000', 'objects'), { recursive: true });
    await expect(workspaces.commitAttempt(input())).resolves.toMatchObject({ ref: expect.any(String) });
  });

  test('a lock with no living owner is removed, a young one is respected', async () => {
    const { commit } = await workspaces.commitAttempt(input());
    const lock = join(repository, 'refs', 'heads', 'build.lock');
    await writeFile(lock, '');
    await expect(workspaces.advanceBuild({ workflowId, commit, signal })).rejects.toMatchObject({
      code: 'workspace_failed',
    });
    await utimes(lock, 1, 1);
    await workspaces.advanceBuild({ workflowId, commit, signal });
    expect(show('rev-parse', 'refs/heads/build')).toBe(commit);
  });

  test('all locks of a git that was killed between them are removed', async () => {
    const { commit, ref } = await workspaces.commitAttempt(input());
    // It holds those of HEAD and of the branches that it moves at the same time.
    for (const name of ['HEAD', 'refs/heads/build', ref]) {
      await writeFile(join(repository, `${name}.lock`), '');
      await utimes(join(repository, `${name}.lock`), 1, 1);
    }
    const again = input({ files: [{ path: 'other', content: '' }], advanceTo: commit, base: commit });
    const next = await workspaces.commitAttempt(again);
    expect(show('rev-parse', 'refs/heads/build', ref).split('\n')).toEqual([commit, next.commit]);
  });

  test('a branch that another worker makes or moves between a look and its lock is looked at again', async () => {
    const { commit } = await workspaces.commitAttempt(input());
    const next = await workspaces.commitAttempt(input({ base: commit, files: [{ path: 'other', content: '' }] }));
    await workspaces.advanceBuild({ workflowId, commit, signal });
    // As seen before the other worker: missing, and elsewhere.
    for (const seen of ['0'.repeat(40), next.commit]) {
      const sights = [seen, commit];
      await withoutStaleLocks(repository, () => {
        const args = ['update-ref', 'refs/heads/build', commit, sights.shift() ?? ''];
        return git({ repository, args, signal });
      });
      expect(sights).toEqual([]);
    }
  });

  test('a pack that a killed git was guarding can be written all the same', async () => {
    const first = await workspaces.commitAttempt(input());
    const packs = join(repository, 'objects', 'pack');
    const [pack = ''] = (await readdir(packs)).filter((name) => name.endsWith('.pack'));
    for (const left of [packs, join(repository, 'refs', 'heads')]) await rm(left, { recursive: true });
    for (const empty of [packs, join(repository, 'refs', 'heads')]) await mkdir(empty, { recursive: true });
    // Killed in the moment before the pack got its name.
    const guard = join(packs, pack.replace('.pack', '.keep'));
    await writeFile(guard, '');
    await utimes(guard, 1, 1);
    expect((await workspaces.commitAttempt(input())).commit).toBe(first.commit);
  });
});

describe('reading a commit', () => {
  test('writes its files out as they were committed, whatever the build’s .gitattributes say', async () => {
    const { commit } = await workspaces.commitAttempt(
      input({
        files: [
          { path: '.gitattributes', content: '* text eol=crlf ident export-ignore working-tree-encoding=UTF-16\n' },
          { path: 'a.txt', content: 'one $Id$\ntwo\n' },
          { path: '.gitignore', content: '*\n' },
        ],
      }),
    );
    const out = join(dir, 'a', 'b');
    await workspaces.exportTree({ workflowId, commit, intoDir: out, signal });
    expect((await readdir(out)).sort()).toEqual(['.gitattributes', '.gitignore', 'a.txt']);
    expect(await readFile(join(out, 'a.txt'), 'utf8')).toBe('one $Id$\ntwo\n');
    expect((await readdir(repository)).filter((name) => name.startsWith('index'))).toEqual([]);
    expect((await lstat(join(out, 'a.txt'))).isFile()).toBe(true);
  });

  test('gives a commit without files as an empty folder and an empty list', async () => {
    const { commit } = await workspaces.commitAttempt(input({ files: [] }));
    await workspaces.exportTree({ workflowId, commit, intoDir: join(dir, 'out'), signal });
    expect(await readdir(join(dir, 'out'))).toEqual([]);
    expect(await workspaces.readFiles({ workflowId, commit, limitBytes: 10, signal })).toEqual({
      files: [],
      omitted: [],
    });
  });

  test('leaves out, and names, what is over the limit or not text', async () => {
    const files = [
      { path: 'a', content: '12345' },
      { path: 'b', content: 'x'.repeat(50) },
      { path: 'c', content: '\0' },
      { path: 'd', content: '1234' },
    ];
    const { commit } = await workspaces.commitAttempt(input({ files }));
    expect(await workspaces.readFiles({ workflowId, commit, limitBytes: 10, signal })).toEqual({
      files: [files[0], files[3]],
      omitted: [
        { path: 'b', bytes: 50 },
        { path: 'c', bytes: 1 },
      ],
    });
  });
});

describe('git itself', () => {
  test('sees nothing of this process’s environment or this machine’s configuration', async () => {
    await workspaces.commitAttempt(input());
    process.env.Q_TEST_SECRET = 'hunter2';
    try {
      const args = ['-c', 'alias.env=!env', 'env'];
      const seen = (await git({ repository, args, signal })).toString();
      expect(seen).not.toContain('hunter2');
      expect(seen).toContain('HOME=/nonexistent');
      const origins = (await git({ repository, args: ['config', '--list', '--show-origin'], signal })).toString();
      for (const line of origins.trim().split('\n')) expect(line).toMatch(/^(?:command line:|file:.*\.git\/config)/);
    } finally {
      delete process.env.Q_TEST_SECRET;
    }
  });

  test('is stopped when the work is cancelled', async () => {
    await workspaces.commitAttempt(input());
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const running = git({ repository, args: ['-c', 'alias.wait=!sleep 60', 'wait'], signal: controller.signal });
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });
});
