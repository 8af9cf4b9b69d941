import { execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { safeName } from '../../src/activities/release/safe-name.ts';
import { createClient } from '../../src/client/client.ts';
import type { PublishTarget } from '../../src/release-settings.ts';
import { bareRepository } from '../activities/release/press-fixture.ts';
import { ANSWERS, type FakeModel, startFakeModel } from '../fakes/model.ts';
import { startTestApi } from './fixtures/api.ts';
import { until } from './fixtures/builds.ts';
import { startTestStack, type TestStack } from './fixtures/stack.ts';
import { startTestWorker } from './fixtures/worker.ts';

type Hook = Readonly<{ headers: Record<string, unknown>; body: string }>;

let stack: TestStack;
let model: FakeModel;
let api: Awaited<ReturnType<typeof startTestApi>>;
let dir: string;
let receiver: Server;
const heard: Hook[] = [];
const SECRET = 'a-secret-of-the-operator';

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'release-targets-'));
  receiver = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      heard.push({ headers: req.headers, body: Buffer.concat(chunks).toString() });
      // The first try of every message fails.
      res.writeHead(heard.length % 2 === 1 ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve);
  });
  const { port } = receiver.address() as AddressInfo;
  const hook = { NOTIFY_WEBHOOK_URL: `http://127.0.0.1:${port}/`, NOTIFY_WEBHOOK_SECRET: SECRET };
  stack = await startTestStack({ ...hook, NOTIFY_PRIVATE_ADDRESSES: 'allowed', PUBLIC_URL: 'https://builds.example' });
  model = await startFakeModel();
  api = await startTestApi(stack);
});
afterAll(async () => {
  await api?.close();
  await model?.stop();
  await stack?.stop();
  receiver?.close();
  await rm(dir, { recursive: true, force: true });
});

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
/** A build's name as that of a folder and of a branch. */
const nameOf = async (id: string): Promise<string> =>
  safeName(String((await api.get(`/api/workflows/${id}/status`)).body.build_id));
const releaseFolders = async (id: string): Promise<string[]> => {
  const folder = join(stack.config.releases.releasesDir, 'shop', await nameOf(id));
  return (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.'));
};
const eventTypes = async (id: string): Promise<string[]> => {
  const { body } = await api.read(`/api/workflows/${id}/history?limit=500`);
  return (body.events as { event_type: string }[]).map((event) => event.event_type);
};

/** Works with a worker that publishes to a target, and stops it. */
async function withTarget(publishTarget: PublishTarget, work: () => Promise<void>): Promise<void> {
  const { config } = stack;
  const worker = await startTestWorker(
    { ...stack, config: { ...config, releases: { ...config.releases, publishTarget } } },
    model,
  );
  try {
    await work();
  } finally {
    await worker.close();
  }
}

async function download(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; content: Buffer }> {
  const reply = await fetch(`${api.url}${path}`, { headers });
  return { status: reply.status, content: Buffer.from(await reply.arrayBuffer()) };
}

describe('a build that the models complete', () => {
  it('is released: listed and downloaded over HTTP, in ranges as well, as its manifest says; and told of', async () => {
    await withTarget({ kind: 'folder' }, async () => {
      const letGo = model.hold('deployment');
      const id = await api.start();
      await api.untilState(id, 'deployment');
      const early = await api.get(`/api/workflows/${id}/artifacts`);
      expect(early.body).toMatchObject({ release: null, artifacts: [], reason: expect.any(String) });
      letGo();
      await api.untilState(id, 'complete');
      const list = await createClient({ url: api.url }).artifacts(id);
      expect(list.release).toMatchObject({ version: '1.0.0', tag: 'release/1.0.0-a1' });
      expect(list.artifacts.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(['archive', 'notes', 'test_report', 'manifest']),
      );
      for (const { url, sha256: sum, bytes } of list.artifacts) {
        const { content } = await download(url);
        expect([content.length, sha256(content)]).toEqual([bytes, sum]);
      }
      const archive = list.artifacts.find(({ kind }) => kind === 'archive');
      const own = list.artifacts.find(({ kind }) => kind === 'manifest');
      const manifest = JSON.parse((await download(String(own?.url))).content.toString());
      expect(manifest.archive).toEqual({ name: archive?.name, bytes: archive?.bytes, sha256: archive?.sha256 });
      expect(manifest).toMatchObject({ workflow_id: id, requirements: 'a function that doubles a number' });
      expect(manifest.phases.map(({ phase }: { phase: string }) => phase)).toHaveLength(5);
      expect(manifest.roles.find(({ role }: { role: string }) => role === 'code_writer').tokens).toBeGreaterThan(0);
      expect(manifest.tests).toMatchObject({ measured: true, passed: true });
      const whole = await download(String(archive?.url));
      const first = await download(String(archive?.url), { range: 'bytes=0-99' });
      const rest = await download(String(archive?.url), { range: 'bytes=100-' });
      expect([first.status, rest.status]).toEqual([206, 206]);
      expect(Buffer.concat([first.content, rest.content])).toEqual(whole.content);
      const listed = execFileSync('tar', ['-tzf', '-'], { input: whole.content, encoding: 'utf8' });
      expect(listed).toContain('/src/double.js');
      const said = await until('the second try of the message', async () => {
        const mine = heard.filter(({ body }) => body.includes(id));
        return mine.length >= 2 ? mine : null;
      });
      expect(said[1]).toMatchObject({ body: said[0]?.body });
      expect(JSON.parse(said[0]?.body ?? '')).toMatchObject({
        event: 'build.live',
        artifacts_url: `https://builds.example/api/workflows/${id}/artifacts`,
      });
      const { 'webhook-id': name, 'webhook-timestamp': at, 'webhook-signature': signature } = said[1]?.headers ?? {};
      expect(name).toBe(said[0]?.headers['webhook-id']);
      const expected = createHmac('sha256', SECRET).update(`${name}.${at}.${said[1]?.body}`).digest('base64');
      expect(signature).toBe(`v1,${expected}`);
    });
  });

  it('is pushed to a repository, with a branch of its own and a tag', async () => {
    const remote = bareRepository(join(dir, 'remote.git'));
    await withTarget({ kind: 'git', remote, token: null, env: { HOME: dir } }, async () => {
      const id = await api.start();
      await api.untilState(id, 'complete');
      const branch = `q/${await nameOf(id)}`;
      const shown = execFileSync('git', ['-C', remote, 'show', `${branch}:src/double.js`], { encoding: 'utf8' });
      expect(shown).toBe('export const double = (n) => n * 2;\n');
      const tags = execFileSync('git', ['-C', remote, 'tag', '--points-at', branch], { encoding: 'utf8' });
      expect(tags).toBe(`${branch}/1.0.0-a1\n`);
    });
  });
});

describe('a release', () => {
  it('that the role calls failed is not made', async () => {
    await withTarget({ kind: 'folder' }, async () => {
      model.answer('deployment', { ...ANSWERS.deployment, deployment_successful: false, notes: 'no licence' });
      const id = await api.start();
      await api.untilState(id, 'error');
      model.answer('deployment', ANSWERS.deployment);
      expect(await releaseFolders(id)).toEqual([]);
      const list = await api.get(`/api/workflows/${id}/artifacts`);
      expect(list.body).toMatchObject({ artifacts: [], reason: expect.stringContaining('no licence') });
      await api.post(`/api/workflows/${id}/abort`, { reason: 'enough' });
    });
  });

  it('whose command fails is tried again, and is there once', async () => {
    const env = { PATH: process.env.PATH ?? '' };
    const publish = `sh -c 'echo "$1" >> ${dir}/tried; test -f ${dir}/mended || { touch ${dir}/mended; exit 1; }' sh`;
    await withTarget({ kind: 'command', publish, unpublish: `echo back >> ${dir}/back; true`, env }, async () => {
      const id = await api.start();
      await api.untilState(id, 'complete');
      expect(readFileSync(join(dir, 'tried'), 'utf8').trim().split('\n')).toHaveLength(2);
      expect(readFileSync(join(dir, 'back'), 'utf8').trim()).toBe('back');
      expect(await releaseFolders(id)).toEqual(['1.0.0-a1']);
    });
  });

  it('under way when the work is sent back is taken back, and the next one is the only one', async () => {
    const env = { PATH: process.env.PATH ?? '' };
    const publish = `sh -c 'echo "$Q_ATTEMPT" >> ${dir}/begun; test "$Q_ATTEMPT" = 2 || sleep 60' sh`;
    await withTarget(
      { kind: 'command', publish, unpublish: `echo "$Q_ATTEMPT" >> ${dir}/undone; true`, env },
      async () => {
        const id = await api.start();
        await until('the command runs', async () => existsSync(join(dir, 'begun')));
        const reply = await api.post(`/api/workflows/${id}/request-retry`, { reason: 'once more' });
        expect(reply.status).toBe(200);
        await api.untilState(id, 'complete');
        expect(await releaseFolders(id)).toEqual(['1.0.0-a2']);
        expect(readFileSync(join(dir, 'undone'), 'utf8')).toContain('1');
        const list = await api.get(`/api/workflows/${id}/artifacts`);
        expect(list.body).toMatchObject({ release: { tag: 'release/1.0.0-a2' } });
        expect(await eventTypes(id)).toContain('release_undone');
      },
    );
  });
});
