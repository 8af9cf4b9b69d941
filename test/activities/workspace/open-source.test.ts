import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createWorkspaces, type Workspaces } from '../../../src/activities/workspace/workspaces.ts';
import { type ArtifactStore, createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import type { Source } from '../../../src/machine/source.ts';
import type { SourceRules } from '../../../src/source-paths.ts';

const workflowId = '3f0c1f0e-6a53-4a38-9a54-0d2f4f1f8a11';
const signal = new AbortController().signal;
const RULES: SourceRules = { paths: 'any', ownPaths: [], privateAddresses: true };

let dir = '';
let origin = '';
let store: ArtifactStore;
let workspaces: Workspaces;

const inOrigin = (...args: string[]): string =>
  execFileSync('git', ['-C', origin, '-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', ...args], {
    encoding: 'utf8',
  }).trim();

async function commitInOrigin(files: Readonly<Record<string, string>>, message = 'a change'): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(origin, path, '..'), { recursive: true });
    await writeFile(join(origin, path), content);
  }
  inOrigin('add', '--all');
  inOrigin('commit', '--quiet', '--message', message);
  return inOrigin('rev-parse', 'HEAD');
}

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'source-')));
  origin = join(dir, 'origin');
  await mkdir(origin);
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', origin]);
  store = createFolderStore(join(dir, 'artifacts'));
  workspaces = createWorkspaces({ rootDir: join(dir, 'workspaces'), store });
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const fromPath = (ref: string | null = null, path = origin): Source => ({ kind: 'path', path, ref });
const open = (source: Source, rules = RULES) => workspaces.openSource({ workflowId, source, rules, signal });
const leftOver = async (): Promise<string[]> =>
  (await readdir(join(dir, 'workspaces'))).filter((name) => name !== `${workflowId}.git`);

describe('code of a folder', () => {
  test('is taken at its checked out commit, with its history, and nothing that is not committed', async () => {
    const first = await commitInOrigin({ 'a.txt': 'one\n' });
    const second = await commitInOrigin({ 'a.txt': 'two\n' });
    await writeFile(join(origin, 'a.txt'), 'not committed');
    await writeFile(join(origin, 'new.txt'), 'not committed');
    const opened = await open(fromPath());
    expect(opened.commit).toBe(second);
    expect(opened.tree).toBe(inOrigin('rev-parse', 'HEAD^{tree}'));
    const at = { workflowId, signal };
    expect(await workspaces.readFiles({ ...at, commit: second, limitBytes: 1000 })).toEqual({
      files: [{ path: 'a.txt', content: 'two\n' }],
      omitted: [],
    });
    expect(await workspaces.diff({ ...at, base: first, commit: second, limitBytes: 1000 })).toContain('-one\n+two');
    expect(await leftOver()).toEqual([]);
  });

  test('is what attempts build on, and comes with them to a worker that has nothing', async () => {
    await commitInOrigin({ 'a.txt': 'one\n', 'run.sh': '#!/bin/sh\n' });
    await chmod(join(origin, 'run.sh'), 0o755);
    const head = await commitInOrigin({});
    const source = await open(fromPath());
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
    await commitInOrigin({ 'a.txt': 'on main' });
    inOrigin('tag', '--annotate', '--message', 'version 1', 'v1');
    inOrigin('tag', 'both');
    inOrigin('checkout', '--quiet', '-b', 'work');
    await commitInOrigin({ 'a.txt': 'on work' });
    inOrigin('branch', 'both');
    inOrigin('checkout', '--quiet', 'main');
    inOrigin('pack-refs', '--all');
    const { commit } = await open(fromPath(ref));
    const { files } = await workspaces.readFiles({ workflowId, commit, limitBytes: 100, signal });
    expect(files).toEqual([{ path: 'a.txt', content }]);
  });

  test('is taken at a commit, also of a bare repository and of a linked work tree', async () => {
    const first = await commitInOrigin({ 'a.txt': 'one' });
    await commitInOrigin({ 'a.txt': 'two' });
    expect((await open(fromPath(first))).commit).toBe(first);
    const bare = join(dir, 'bare.git');
    execFileSync('git', ['clone', '--quiet', '--bare', origin, bare]);
    expect((await open(fromPath(first, bare))).commit).toBe(first);
    inOrigin('worktree', 'add', '--quiet', '--detach', join(dir, 'linked'), first);
    expect((await open(fromPath(null, join(dir, 'linked')))).commit).toBe(first);
  });

  test('that is a shallow clone stays one, on other machines too', async () => {
    await commitInOrigin({ 'a.txt': 'one' });
    const head = await commitInOrigin({ 'a.txt': 'two' });
    const shallow = join(dir, 'shallow');
    execFileSync('git', ['clone', '--quiet', '--depth=1', `file://${origin}`, shallow]);
    const { commit, bundle } = await open(fromPath(null, shallow));
    expect(commit).toBe(head);
    const elsewhere = createWorkspaces({ rootDir: join(dir, 'elsewhere'), store });
    expect(await elsewhere.listFiles({ workflowId, commit, bundle, signal })).toEqual([{ path: 'a.txt', bytes: 3 }]);
  });

  test('runs nothing of the repository, whatever its settings and hooks say', async () => {
    await commitInOrigin({ 'a.txt': 'one', '.gitattributes': '* filter=evil diff=evil\n' });
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
      inOrigin('config', name, evil);
    }
    inOrigin('config', 'extensions.partialClone', 'evil');
    inOrigin('config', 'core.repositoryFormatVersion', '1');
    inOrigin('config', 'remote.evil.url', `ext::sh -c "${evil}"`);
    inOrigin('config', 'remote.evil.promisor', 'true');
    inOrigin('config', 'protocol.ext.allow', 'always');
    for (const hook of ['pre-auto-gc', 'reference-transaction', 'post-checkout', 'post-index-change']) {
      await writeFile(join(origin, '.git', 'hooks', hook), `#!/bin/sh\n${evil}\n`, { mode: 0o755 });
    }
    const { commit } = await open(fromPath());
    await workspaces.exportTree({ workflowId, commit, intoDir: join(dir, 'out'), signal });
    await workspaces.diff({ workflowId, base: null, commit, limitBytes: 1000, signal });
    expect(await readFile(join(dir, 'out', 'a.txt'), 'utf8')).toBe('one');
    expect(existsSync(mark)).toBe(false);
  });

  test('opened again is the same, and what was moved meanwhile is taken as it is then', async () => {
    await commitInOrigin({ 'a.txt': 'one' });
    const first = await open(fromPath());
    expect(await open(fromPath())).toEqual(first);
    const moved = await commitInOrigin({ 'a.txt': 'two' });
    expect((await open(fromPath())).commit).toBe(moved);
    expect(await workspaces.listFiles({ workflowId, commit: first.commit, signal })).toHaveLength(1);
  });

  test.each<[string, () => Promise<Source>, RegExp]>([
    ['nothing at that place', async () => fromPath(null, join(dir, 'nowhere')), /is not there on the machine/],
    ['a folder that is no repository', async () => fromPath(null, dir), /is no git repository/],
    ['a repository without a commit', async () => fromPath(), /has no commit yet/],
    [
      'a ref that it has not',
      async () => commitInOrigin({ a: '' }).then(() => fromPath('nope')),
      /has no branch, tag or commit "nope"/,
    ],
    [
      'a commit that it has not',
      async () => commitInOrigin({ a: '' }).then(() => fromPath('a'.repeat(40))),
      /has no branch, tag or commit/,
    ],
  ])('is refused for good when it is %s', async (_, made, told) => {
    const error = await open(await made()).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'source_unusable', message: expect.stringMatching(told) });
    expect(await leftOver()).toEqual([]);
  });

  test('is not taken from beside the allowed folders, whatever links and files of the repository lead there', async () => {
    await commitInOrigin({ 'a.txt': 'secret' });
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
      await expect(open(fromPath(null, join(allowed, path)), rules)).rejects.toMatchObject({ code: 'source_refused' });
    }
    await expect(open(fromPath(null, borrowing), rules)).rejects.toThrow(/borrows objects from another repository/);
  });

  test('over the limit comes without its history, and is refused where that is not enough', async () => {
    const noise = (kilobytes: number): string =>
      Array.from({ length: kilobytes * 16 }, () => Math.random().toString(36).padEnd(64, 'x')).join('');
    await commitInOrigin({ 'a.txt': noise(400) });
    await commitInOrigin({ 'a.txt': noise(10) });
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

describe('code of an address', () => {
  let server: Server;
  let url = '';
  const asked: string[] = [];

  /** The plain files of a repository, as any web server has them: git reads them without a program on the other side. */
  beforeEach(async () => {
    asked.length = 0;
    server = createServer(async (request, response) => {
      const path = request.url?.split('?')[0] ?? '';
      asked.push(path);
      if (path.startsWith('/moved')) return response.writeHead(302, { location: '/origin.git/info/refs' }).end();
      if (path.startsWith('/closed')) return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      const content = await readFile(join(dir, path)).catch(() => null);
      response.writeHead(content === null ? 404 : 200).end(content ?? '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function publish(): Promise<void> {
    execFileSync('git', ['clone', '--quiet', '--bare', origin, join(dir, 'origin.git')]);
    execFileSync('git', ['-C', join(dir, 'origin.git'), 'update-server-info']);
  }
  const at = (path: string, ref: string | null = null): Source => ({ kind: 'git', url: `${url}${path}`, ref });

  test.each([null, 'main', 'v1'])('is taken at %j with its history', async (ref) => {
    await commitInOrigin({ 'a.txt': 'one' });
    const head = await commitInOrigin({ 'a.txt': 'two' });
    inOrigin('tag', '--annotate', '--message', 'version 1', 'v1');
    await publish();
    const opened = await open(at('/origin.git', ref));
    expect(opened.commit).toBe(head);
    expect(await workspaces.listFiles({ workflowId, commit: head, signal })).toEqual([{ path: 'a.txt', bytes: 3 }]);
    expect(await leftOver()).toEqual([]);
  });

  test.each([
    ['/nowhere.git', null, 'source_unusable', /is not there, or is no git repository/],
    ['/origin.git', 'nope', 'source_unusable', /has no branch, tag or commit "nope"/],
    ['/closed.git', null, 'source_unusable', /does not exist or asks for credentials/],
    ['/moved.git', null, 'source_unusable', /answers with a redirect, which is not followed/],
  ])('fails clearly at %s, %j', async (path, ref, code, told) => {
    await commitInOrigin({ 'a.txt': 'one' });
    await publish();
    const error = await open(at(path, ref)).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code, message: expect.stringMatching(told) });
    expect(String(error)).not.toContain(dir);
    expect(await leftOver()).toEqual([]);
  });

  test('may be tried again when nobody answers', async () => {
    const source: Source = { kind: 'git', url: 'http://127.0.0.1:1/x.git', ref: null };
    await expect(open(source)).rejects.toMatchObject({ code: 'source_unreachable' });
  });

  test.each(['http://HOST/origin.git', 'git://HOST/origin.git', 'ssh://git@HOST/origin.git', 'git@HOST:origin.git'])(
    'is not asked for at a private address: %s',
    async (form) => {
      await commitInOrigin({ 'a.txt': 'one' });
      await publish();
      for (const host of ['127.0.0.1', 'localhost', '[::1]', '169.254.169.254', '2130706433']) {
        const source: Source = { kind: 'git', url: form.replace('HOST', host), ref: null };
        await expect(open(source, { ...RULES, privateAddresses: false })).rejects.toMatchObject({
          code: 'source_unusable',
          message: expect.stringMatching(/SOURCE_PRIVATE_ADDRESSES=allowed/),
        });
      }
      expect(asked).toEqual([]);
    },
  );

  test.each(['ext::sh -c "touch /tmp/x"', 'file:///etc', '/etc', '--upload-pack=x', 'fd::3'])(
    'is no other thing that git would take: %s',
    async (address) => {
      await expect(open({ kind: 'git', url: address, ref: null })).rejects.toMatchObject({ code: 'source_unusable' });
    },
  );
});
