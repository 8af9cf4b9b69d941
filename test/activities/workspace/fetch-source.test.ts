import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindsByCurl, remoteOf } from '../../../src/activities/workspace/source-address.ts';
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

/** What a git server does: one program for the list of branches, one for a pack. */
function answerSmartly(request: IncomingMessage, response: ServerResponse): void {
  const [path = '', query = ''] = request.url?.split('?') ?? [];
  const repository = join(dir, path.slice('/smart/'.length).split('/')[0] ?? '');
  const isList = query === 'service=git-upload-pack';
  const options = ['--stateless-rpc', ...(isList ? ['--advertise-refs'] : [])];
  const version = { GIT_PROTOCOL: String(request.headers['git-protocol'] ?? '') };
  const program = spawn('git', ['upload-pack', ...options, repository], { env: { ...process.env, ...version } });
  response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${isList ? 'advertisement' : 'result'}` });
  if (isList && !version.GIT_PROTOCOL.includes('2')) response.write('001e# service=git-upload-pack\n0000');
  const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request;
  if (!isList) body.pipe(program.stdin);
  program.stdout.pipe(response);
  request.on('close', () => program.stdin.destroy());
  response.on('close', () => program.kill());
}

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
      if (path.startsWith('/smart/')) return answerSmartly(request, response);
      if (path.startsWith('/moved')) {
        return response.writeHead(302, { location: String(request.url).replace('moved', 'origin') }).end();
      }
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
    await given.commit({ 'a.txt': 'one' });
    const head = await given.commit({ 'a.txt': 'two' });
    given.run('tag', '--annotate', '--message', 'version 1', 'v1');
    await publish();
    const opened = await given.open(at('/origin.git', ref));
    expect(opened.commit).toBe(head);
    expect(await workspaces.listFiles({ workflowId, commit: head, signal })).toEqual([{ path: 'a.txt', bytes: 3 }]);
    expect(await given.leftOver()).toEqual([]);
  });

  test.each([
    ['/nowhere.git', null, 'source_unusable', /is not there, or is no git repository/],
    ['/origin.git', 'nope', 'source_unusable', /has no branch, tag or commit "nope"/],
    ['/closed.git', null, 'source_unusable', /does not exist or asks for credentials/],
    ['/moved.git', null, 'source_unusable', /answers with a redirect, which is not followed/],
  ])('fails clearly at %s, %j', async (path, ref, code, told) => {
    await given.commit({ 'a.txt': 'one' });
    await publish();
    const error = await given.open(at(path, ref)).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code, message: expect.stringMatching(told) });
    expect(String(error)).not.toContain(dir);
    expect(await given.leftOver()).toEqual([]);
  });

  test('is taken at a commit that no branch leads to any more, where the server gives it', async () => {
    const first = await given.commit({ 'a.txt': 'one' });
    given.run('commit', '--quiet', '--amend', '--message', 'another');
    await publish();
    const source = at('/smart/origin', first);
    expect((await given.open(source)).commit).toBe(first);
    await expect(given.open(at('/smart/origin', 'a'.repeat(40)))).rejects.toMatchObject({
      code: 'source_unusable',
      message: expect.stringMatching(/has no branch, tag or commit/),
    });
  });

  test('over the limit comes without its history, and is refused where that is not enough', async () => {
    const noise = (bytes: number): string => randomBytes(bytes / 2).toString('hex');
    await given.commit({ 'a.txt': noise(2_000_000) });
    const head = await given.commit({ 'a.txt': noise(10_000) });
    const limited = (packedBytes: number) =>
      createWorkspaces({
        rootDir: join(dir, 'limited'),
        store,
        sourceLimits: { packedBytes, files: 10, treeBytes: 1e9 },
      });
    const ask = { workflowId, source: at('/smart/origin'), rules: RULES, signal };
    const { commit, bundle } = await limited(100_000).openSource(ask);
    expect(commit).toBe(head);
    const elsewhere = createWorkspaces({ rootDir: join(dir, 'elsewhere'), store });
    expect(await elsewhere.listFiles({ workflowId, commit, bundle, signal })).toHaveLength(1);
    await expect(limited(1000).openSource(ask)).rejects.toThrow(/is over 1000 bytes, even without its history/);
    expect((await readdir(join(dir, 'limited'))).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('is no longer fetched once the work is cancelled', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const silent = createServer(() => controller.abort(reason));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/x.git`;
    const source: Source = { kind: 'git', url: address, ref: null };
    const opening = workspaces.openSource({ workflowId, source, rules: RULES, signal: controller.signal });
    await expect(opening).rejects.toBe(reason);
    expect(await given.leftOver()).toEqual([]);
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
  });

  test.each([
    ['https://93.184.216.34/x.git', 'protocol.https.allow=always', 'https://93.184.216.34/x.git'],
    ['http://[2606:2800::1]:8080/x.git', 'protocol.http.allow=always', 'http://[2606:2800::1]:8080/x.git'],
    ['git://93.184.216.34:9419/x.git', 'protocol.git.allow=always', 'git://93.184.216.34:9419/x.git'],
    ['git@93.184.216.34:x.git', 'HostName=93.184.216.34', 'git@93.184.216.34:x.git'],
  ])('is bound to the public address that was found: %s', async (url, setting, told) => {
    const remote = await remoteOf(url, false);
    expect(remote.url).toBe(told);
    expect(remote.settings.join('\n')).toContain(setting);
    expect(remote.settings).toContain('http.followRedirects=false');
  });

  test.each([
    ['git version 2.39.5', true],
    ['git version 2.37.0', true],
    ['git version 3.0', true],
    ['git version 2.36.9', false],
    ['git version 1.99.0', false],
    ['something else', false],
  ])('is fetched by a git that can be bound to it: %s: %s', (version, can) => {
    expect(bindsByCurl(version)).toBe(can);
  });

  test.each(['ssh://git@$(touch x)/y', 'git@a;touch x:y', 'http://a b/c', 'https://user:secret@example.org/x.git'])(
    'is refused before any of it gets into a command: %s',
    async (url) => {
      for (const privateAddresses of [true, false]) {
        await expect(remoteOf(url, privateAddresses)).rejects.toMatchObject({ code: 'source_unusable' });
      }
    },
  );

  test('may be tried again when nobody answers', async () => {
    const source: Source = { kind: 'git', url: 'http://127.0.0.1:1/x.git', ref: null };
    await expect(given.open(source)).rejects.toMatchObject({ code: 'source_unreachable' });
  });

  test.each(['http://HOST/origin.git', 'git://HOST/origin.git', 'ssh://git@HOST/origin.git', 'git@HOST:origin.git'])(
    'is not asked for at a private address: %s',
    async (form) => {
      await given.commit({ 'a.txt': 'one' });
      await publish();
      for (const host of ['127.0.0.1', 'localhost', '[::1]', '169.254.169.254', '2130706433']) {
        const source: Source = { kind: 'git', url: form.replace('HOST', host), ref: null };
        await expect(given.open(source, { ...RULES, privateAddresses: false })).rejects.toMatchObject({
          code: 'source_unusable',
          message: expect.stringMatching(/SOURCE_PRIVATE_ADDRESSES=allowed|must be https/),
        });
      }
      expect(asked).toEqual([]);
    },
  );

  test.each(['ext::sh -c "touch /tmp/x"', 'file:///etc', '/etc', '--upload-pack=x', 'fd::3'])(
    'is no other thing that git would take: %s',
    async (address) => {
      await expect(given.open({ kind: 'git', url: address, ref: null })).rejects.toMatchObject({
        code: 'source_unusable',
      });
    },
  );
});
