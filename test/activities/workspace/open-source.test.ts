import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createWorkspaces, type Workspaces } from '../../../src/activities/workspace/workspaces.ts';
import type { ArtifactStore } from '../../../src/artifacts/artifact-store.ts';
import type { Source } from '../../../src/machine/source.ts';
import { NEVER as signal, WORKFLOW_ID as workflowId } from './fixture.ts';
import { type Origin, openOrigin, RULES } from './origin.ts';

let given: Origin;
let dir = '';
let origin = '';
let store: ArtifactStore;
let workspaces: Workspaces;

beforeEach(async () => {
  given = await openOrigin();
  ({ dir, path: origin } = given);
  ({ store, workspaces } = given.machines);
});
afterEach(async () => {
  await given.machines.remove();
});

const fromPath = (ref: string | null = null, path = origin): Source => ({ kind: 'path', path, ref });

describe('code of a folder', () => {
  test('is taken at its checked out commit, with its history, and nothing that is not committed', async () => {
    const first = await given.commit({ 'a.txt': 'one\n' });
    const second = await given.commit({ 'a.txt': 'two\n' });
    await writeFile(join(origin, 'a.txt'), 'not committed');
    await writeFile(join(origin, 'new.txt'), 'not committed');
    const opened = await given.open(fromPath());
    expect(opened.commit).toBe(second);
    expect(opened.tree).toBe(given.run('rev-parse', 'HEAD^{tree}'));
    const at = { workflowId, signal };
    expect(await workspaces.readFiles({ ...at, commit: second, limitBytes: 1000 })).toEqual({
      files: [{ path: 'a.txt', content: 'two\n' }],
      omitted: [],
    });
    expect(await workspaces.diff({ ...at, base: first, commit: second, limitBytes: 1000 })).toContain('-one\n+two');
    expect(await given.leftOver()).toEqual([]);
  });

  test('is what attempts build on, and comes with them to a worker that has nothing', async () => {
    await given.commit({ 'a.txt': 'one\n', 'run.sh': '#!/bin/sh\n' });
    await chmod(join(origin, 'run.sh'), 0o755);
    const head = await given.commit({});
    const source = await given.open(fromPath());
    const made = await workspaces.commitAttempt({
      workflowId,
      base: source.commit,
      bundle: source.bundle,
      advanceTo: source.commit,
      attempt: { phase: 'implementation', attempt: 1, epoch: 0, run: 1 },
      files: [{ path: 'run.sh', content: '#!/bin/sh\necho\n' }],
      author: 'code_writer',
      message: 'an attempt',
      trailers: {},
      atMs: 0,
      signal,
    });
    const elsewhere = createWorkspaces({ rootDir: join(dir, 'elsewhere'), store });
    const intoDir = join(dir, 'out');
    await elsewhere.exportTree({ workflowId, commit: made.commit, bundle: made.bundle, intoDir, signal });
    expect((await readdir(intoDir)).sort()).toEqual(['a.txt', 'run.sh']);
    const repository = await elsewhere.repositoryWith({ workflowId, commit: made.commit, signal });
    const log = execFileSync('git', ['-C', repository, 'log', '--format=%H', made.commit], { encoding: 'utf8' });
    expect(log.trim().split('\n')).toContain(head);
  });

  test.each([
    ['a branch', 'work', 'on work'],
    ['a tag', 'v1', 'on main'],
    ['a whole name', 'refs/heads/work', 'on work'],
    ['a branch rather than a tag of its name', 'both', 'on work'],
  ])('is taken at %s', async (_, ref, content) => {
    await given.commit({ 'a.txt': 'on main' });
    given.run('tag', '--annotate', '--message', 'version 1', 'v1');
    given.run('tag', 'both');
    given.run('checkout', '--quiet', '-b', 'work');
    await given.commit({ 'a.txt': 'on work' });
    given.run('branch', 'both');
    given.run('checkout', '--quiet', 'main');
    given.run('pack-refs', '--all');
    const { commit } = await given.open(fromPath(ref));
    const { files } = await workspaces.readFiles({ workflowId, commit, limitBytes: 100, signal });
    expect(files).toEqual([{ path: 'a.txt', content }]);
  });

  test('is taken at a commit, also of a bare repository and of a linked work tree', async () => {
    const first = await given.commit({ 'a.txt': 'one' });
    await given.commit({ 'a.txt': 'two' });
    expect((await given.open(fromPath(first))).commit).toBe(first);
    const bare = join(dir, 'bare.git');
    execFileSync('git', ['clone', '--quiet', '--bare', origin, bare]);
    expect((await given.open(fromPath(first, bare))).commit).toBe(first);
    given.run('worktree', 'add', '--quiet', '--detach', join(dir, 'linked'), first);
    expect((await given.open(fromPath(null, join(dir, 'linked')))).commit).toBe(first);
  });

  test('that is a shallow clone stays one, on other machines too', async () => {
    await given.commit({ 'a.txt': 'one' });
    const head = await given.commit({ 'a.txt': 'two' });
    const shallow = join(dir, 'shallow');
    execFileSync('git', ['clone', '--quiet', '--depth=1', `file://${origin}`, shallow]);
    const { commit, bundle } = await given.open(fromPath(null, shallow));
    expect(commit).toBe(head);
    const elsewhere = createWorkspaces({ rootDir: join(dir, 'elsewhere'), store });
    expect(await elsewhere.listFiles({ workflowId, commit, bundle, signal })).toEqual([{ path: 'a.txt', bytes: 3 }]);
  });

  test('runs nothing of the repository, whatever its settings and hooks say', async () => {
    await given.commit({ 'a.txt': 'one', '.gitattributes': '* filter=evil diff=evil\n' });
    const mark = join(dir, 'was-run');
    const evil = `touch ${mark}`;
    for (const name of [
      'core.fsmonitor',
      'core.sshCommand',
      'core.alternateRefsCommand',
      'core.pager',
      'filter.evil.smudge',
      'filter.evil.process',
      'diff.evil.textconv',
      'diff.external',
      'uploadpack.packObjectsHook',
      'credential.helper',
      'gpg.program',
    ]) {
      given.run('config', name, evil);
    }
    given.run('config', 'extensions.partialClone', 'evil');
    given.run('config', 'core.repositoryFormatVersion', '1');
    given.run('config', 'remote.evil.url', `ext::sh -c "${evil}"`);
    given.run('config', 'remote.evil.promisor', 'true');
    given.run('config', 'protocol.ext.allow', 'always');
    for (const hook of ['pre-auto-gc', 'reference-transaction', 'post-checkout', 'post-index-change']) {
      await writeFile(join(origin, '.git', 'hooks', hook), `#!/bin/sh\n${evil}\n`, { mode: 0o755 });
    }
    const { commit } = await given.open(fromPath());
    await workspaces.exportTree({ workflowId, commit, intoDir: join(dir, 'out'), signal });
    await workspaces.diff({ workflowId, base: null, commit, limitBytes: 1000, signal });
    expect(await readFile(join(dir, 'out', 'a.txt'), 'utf8')).toBe('one');
    expect(existsSync(mark)).toBe(false);
  });

  test('opened again is the same, and what was moved meanwhile is taken as it is then', async () => {
    await given.commit({ 'a.txt': 'one' });
    const first = await given.open(fromPath());
    expect(await given.open(fromPath())).toEqual(first);
    const moved = await given.commit({ 'a.txt': 'two' });
    expect((await given.open(fromPath())).commit).toBe(moved);
    expect(await workspaces.listFiles({ workflowId, commit: first.commit, signal })).toHaveLength(1);
  });

  test.each<[string, () => Promise<Source>, RegExp]>([
    ['nothing at that place', async () => fromPath(null, join(dir, 'nowhere')), /is not there on the machine/],
    ['a folder that is no repository', async () => fromPath(null, dir), /is no git repository/],
    ['a repository without a commit', async () => fromPath(), /has no commit yet/],
    [
      'a ref that it has not',
      async () => given.commit({ a: '' }).then(() => fromPath('nope')),
      /has no branch, tag or commit "nope"/,
    ],
    [
      'a commit that it has not',
      async () => given.commit({ a: '' }).then(() => fromPath('a'.repeat(40))),
      /has no branch, tag or commit/,
    ],
  ])('is refused for good when it is %s', async (_, made, told) => {
    const error = await given.open(await made()).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'source_unusable', message: expect.stringMatching(told) });
    expect(await given.leftOver()).toEqual([]);
  });

  test('is not taken from beside the allowed folders, whatever links and files of the repository lead there', async () => {
    await given.commit({ 'a.txt': 'secret' });
    const allowed = join(dir, 'allowed');
    await mkdir(join(allowed, 'file'), { recursive: true });
    await symlink(origin, join(allowed, 'link'));
    await writeFile(join(allowed, 'file', '.git'), `gitdir: ${join(origin, '.git')}\n`);
    const borrowing = join(allowed, 'borrowing');
    execFileSync('git', ['clone', '--quiet', '--shared', origin, borrowing]);
    const linked = join(allowed, 'linked');
    execFileSync('git', ['init', '--quiet', linked]);
    await rm(join(linked, '.git', 'objects'), { recursive: true });
    await symlink(join(origin, '.git', 'objects'), join(linked, '.git', 'objects'));
    const rules = { ...RULES, paths: [allowed] };
    for (const path of ['link', 'file', 'linked']) {
      await expect(given.open(fromPath(null, join(allowed, path)), rules)).rejects.toMatchObject({
        code: 'source_refused',
      });
    }
    await expect(given.open(fromPath(null, borrowing), rules)).rejects.toThrow(
      /borrows objects from another repository/,
    );
  });

  test('over the limit comes without its history, and is refused where that is not enough', async () => {
    const noise = (bytes: number): string => randomBytes(bytes / 2).toString('hex');
    await given.commit({ 'a.txt': noise(400_000) });
    await given.commit({ 'a.txt': noise(10_000) });
    const limited = (packedBytes: number, files = 10, treeBytes = 1e9) =>
      createWorkspaces({ rootDir: join(dir, 'limited'), store, sourceLimits: { packedBytes, files, treeBytes } });
    const ask = { workflowId, source: fromPath(), rules: RULES, signal };
    const { commit, bundle } = await limited(100_000).openSource(ask);
    const elsewhere = createWorkspaces({ rootDir: join(dir, 'elsewhere'), store });
    expect(await elsewhere.listFiles({ workflowId, commit, bundle, signal })).toHaveLength(1);
    await expect(limited(1000).openSource(ask)).rejects.toThrow(/is over 1000 bytes, even without its history/);
    await expect(limited(1e9, 0).openSource(ask)).rejects.toThrow(/has 1 files, and at most 0 are taken/);
    await expect(limited(1e9, 1, 9).openSource(ask)).rejects.toThrow(/bytes in all, and at most 9 are taken/);
  });
});
