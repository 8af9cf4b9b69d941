import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { announce } from '../../../src/activities/announce.ts';
import type { ActivityDeps } from '../../../src/activities/deps.ts';
import { checkedLookup, PrivateAddress } from '../../../src/activities/notify/checked-lookup.ts';
import { type Delivery, deliver } from '../../../src/activities/notify/webhook.ts';
import type { BuildSnapshot } from '../../../src/machine/snapshot.ts';
import type { Webhook } from '../../../src/release-settings.ts';
import { buildIn } from '../../machine/sample-builds.ts';

const SECRET = 'a-secret-of-the-operator';
const signal = new AbortController().signal;

type Heard = Readonly<{ headers: IncomingMessage['headers']; body: string }>;

/** A real receiver; it ends with the test. */
async function receiver(answer: RequestListener = (_req, res) => res.end()) {
  const heard: Heard[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      heard.push({ headers: req.headers, body: Buffer.concat(chunks).toString() });
      answer(req, res);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { heard, port, url: `http://127.0.0.1:${port}/hook?token=of-the-receiver` };
}

const hookOf = (url: string, privateAddresses = true): Webhook => ({ url, secret: SECRET, privateAddresses });
const deliveryOf = (webhook: Webhook, more: Partial<Delivery> = {}): Delivery => ({
  webhook,
  id: 'msg_1',
  body: '{}',
  atMs: 1_700_000_000_999,
  timeoutMs: 5000,
  signal,
  ...more,
});

function released(): BuildSnapshot {
  const build = buildIn('deployment');
  const data = { version: '1.0.0', release_tag: 'release/1.0.0-a1', release: { manifest: 'f'.repeat(64) } };
  const deployment = { seq: 9, attempt: 1, by: 'llm', data, full: null, commit: null } as const;
  const position = { status: 'complete', endedAtMs: 1_700_000_000_000 } as const;
  return { ...build, results: { ...build.results, deployment }, position } as unknown as BuildSnapshot;
}

/** Runs the activity as a worker does, and gives what it logged. */
async function announced(webhook: Webhook | null, publicUrl: string | null = 'https://builds.example') {
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
  const deps = { webhook, publicUrl, log } as unknown as ActivityDeps;
  const input = { build: released() };
  const error = await new MockActivityEnvironment()
    .run((given: typeof input) => announce(deps, given), input)
    .then(
      () => null,
      (thrown: unknown) => thrown,
    );
  return { error, said: logged.join(''), all: `${logged.join('')}${JSON.stringify(error)}${String(error)}` };
}

describe('a release', () => {
  it('is told to NOTIFY_WEBHOOK_URL, signed so that the receiver knows it is ours', async () => {
    const { heard, url } = await receiver();
    expect((await announced(hookOf(url))).error).toBeNull();
    const [message] = heard;
    const build = released();
    expect(JSON.parse(message?.body ?? '')).toEqual({
      event: 'build.live',
      message: 'Your build is live',
      build_id: build.spec.buildId,
      workflow_id: build.spec.workflowId,
      project_id: build.spec.projectId,
      version: '1.0.0',
      released_at: '2023-11-14T22:13:20.000Z',
      release: { tag: 'release/1.0.0-a1', manifest_sha256: 'f'.repeat(64) },
      artifacts_url: `https://builds.example/api/workflows/${build.spec.workflowId}/artifacts`,
    });
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = message?.headers ?? {};
    const expected = createHmac('sha256', SECRET).update(`${id}.${at}.${message?.body}`).digest('base64');
    expect(signature).toBe(`v1,${expected}`);
    expect(Math.abs(Number(at) * 1000 - Date.now())).toBeLessThan(60_000);
  });

  it('has the same id and body in every try', async () => {
    const { heard, url } = await receiver();
    await announced(hookOf(url));
    await announced(hookOf(url));
    expect(heard[0]?.headers['webhook-id']).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(heard[1]).toMatchObject({ body: heard[0]?.body });
    expect(heard[1]?.headers['webhook-id']).toBe(heard[0]?.headers['webhook-id']);
  });

  it.each([301, 404, 500])('is told again when the receiver answers %s, and redirects lead nowhere', async (status) => {
    const elsewhere = await receiver();
    const { url } = await receiver((_req, res) =>
      res.writeHead(status, { location: elsewhere.url }).end('inner words'),
    );
    const { error, all } = await announced(hookOf(url));
    expect(error).toMatchObject({ type: 'announcement_failed', nonRetryable: false });
    expect(all).toContain(`answered ${status}`);
    expect(all).not.toMatch(/inner words|of-the-receiver|a-secret-of/);
    expect(elsewhere.heard).toEqual([]);
  });

  it('is told again when nobody listens, and neither the address nor the secret is logged', async () => {
    const { error, all, said } = await announced(hookOf('http://127.0.0.1:1/hook?token=of-the-receiver'));
    expect(error).toBeInstanceOf(ApplicationFailure);
    expect(said).toContain('ECONNREFUSED');
    expect(all).not.toMatch(/of-the-receiver|a-secret-of|127\.0\.0\.1/);
  });

  it('is not told to a private address unless that is allowed, and then not tried again', async () => {
    const { heard, url } = await receiver();
    const { error, said } = await announced(hookOf(url, false));
    expect(error).toMatchObject({ type: 'announcement_failed', nonRetryable: true });
    expect(said).toContain('NOTIFY_PRIVATE_ADDRESSES=allowed');
    expect(heard).toEqual([]);
  });

  it('is told to nobody by a worker that knows none, which says so', async () => {
    const { error, said } = await announced(null);
    expect([error, said]).toEqual([null, expect.stringContaining('no NOTIFY_WEBHOOK_URL')]);
  });
});

describe('a delivery', () => {
  it.each([
    'http://127.0.0.1/',
    'http://localhost/',
    'http://0177.0.0.1/',
    'http://2130706433/',
    'http://0.0.0.0/',
    'http://[::]/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/',
    'http://100.100.100.200/',
    'https://[fd00:ec2::254]/',
  ])('to %s is refused before anything is connected to', async (url) => {
    await expect(deliver(deliveryOf(hookOf(url, false)))).rejects.toBeInstanceOf(PrivateAddress);
  });

  it('goes to no private address to which a name leads, however public it was the last time', async () => {
    const { heard, port } = await receiver();
    // First a public address, then the receiver's: a name under the control of an attacker.
    const answers = [[{ address: '93.184.216.34', family: 4 }], [{ address: '127.0.0.1', family: 4 }]];
    const lookup = checkedLookup(((_name: string, _options: object, tell: (e: null, all: object) => void) =>
      tell(null, answers.shift() ?? [])) as unknown as Parameters<typeof checkedLookup>[0]);
    const first = await new Promise((resolve) =>
      lookup('rebinding.example', {}, (_error, address) => resolve(address)),
    );
    expect(first).toBe('93.184.216.34');
    const webhook = hookOf(`http://rebinding.example:${port}/`, false);
    await expect(deliver(deliveryOf(webhook, { lookup }))).rejects.toBeInstanceOf(PrivateAddress);
    expect(heard).toEqual([]);
  });

  it('takes of several addresses the public ones alone', async () => {
    const found = [
      { address: '10.0.0.1', family: 4 },
      { address: '93.184.216.34', family: 4 },
    ];
    const lookup = checkedLookup(((_name: string, _options: object, tell: (e: null, all: object) => void) =>
      tell(null, found)) as unknown as Parameters<typeof checkedLookup>[0]);
    const given = await new Promise((resolve) => lookup('a.example', { all: true }, (_error, all) => resolve(all)));
    expect(given).toEqual([{ address: '93.184.216.34', family: 4 }]);
  });

  it('waits no longer than its deadline', async () => {
    const { url } = await receiver(() => undefined);
    await expect(deliver(deliveryOf(hookOf(url), { timeoutMs: 100 }))).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('is signed with the key of a secret in the form of the Standard Webhooks convention', async () => {
    const { heard, url } = await receiver();
    const key = Buffer.from('0123456789abcdef0123456789abcdef');
    const webhook = { ...hookOf(url), secret: `whsec_${key.toString('base64')}` };
    await deliver(deliveryOf(webhook));
    const expected = createHmac('sha256', key).update('msg_1.1700000000.{}').digest('base64');
    expect(heard[0]?.headers['webhook-signature']).toBe(`v1,${expected}`);
  });
});
