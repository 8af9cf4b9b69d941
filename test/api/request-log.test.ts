import { describe, expect, it } from 'vitest';
import { readApiKeys } from '../../src/api-keys.ts';
import type { AppError } from '../../src/errors.ts';
import { type ExampleCall, exampleCalls } from './example-calls.ts';
import { rawCall } from './raw-call.ts';
import { type Served, serve } from './serve.ts';

const { keys } = readApiKeys('ci:secret-of-ci,web(project=web):secret-of-web');
const REPLIES = exampleCalls().filter(({ route }) => route.kind === 'reply');

type Line = Readonly<Record<string, unknown> & { req?: { id: string; url: string } }>;

/** The lines of one request, as soon as its last one is there. */
async function linesOf(api: Served, id: string): Promise<Line[]> {
  return expect
    .poll(() => lines(api, id).some(({ res }) => res !== undefined))
    .toBe(true)
    .then(() => lines(api, id));
}
const lines = (api: Served, id: string): Line[] =>
  api.logged.map((line) => JSON.parse(line) as Line).filter(({ req }) => req?.id === id);

const call = (api: Served, { path, init }: ExampleCall, id: string, headers: Record<string, string>) =>
  api.send(path(id), init(id, headers));

describe('the log', () => {
  it.each(REPLIES)(
    'has the request id, the operation and the name of the key of $operationId in every line',
    async (one) => {
      const api = await serve({ keys });
      const headers = { authorization: 'Bearer secret-of-ci', 'x-request-id': `r-${one.operationId}` };
      const reply = await call(api, one, '0e5e7715-0cdc-5dfe-a658-ece67c93fb48', headers);
      expect(reply.headers.get('x-request-id')).toBe(headers['x-request-id']);
      const found = await linesOf(api, headers['x-request-id']);
      const caller = one.route.open ? undefined : 'ci';
      for (const line of found) expect(line).toMatchObject({ operationId: one.operationId });
      expect(found.map((line) => line.caller)).toEqual(found.map(() => caller));
    },
  );

  it('has them in the line of a failure of our own, too', async () => {
    const api = await serve({ keys });
    api.builds.fault = new Error('no idea') as AppError;
    const body = { build_id: 'b-1', user_id: 'ann', requirements: 'a slugifier' };
    const headers = { authorization: 'Bearer secret-of-ci', 'x-request-id': 'r-1' };
    expect((await api.post('/api/workflows/shop/start', body, headers)).status).toBe(500);
    const found = await linesOf(api, 'r-1');
    expect(found).toHaveLength(2);
    for (const line of found) expect(line).toMatchObject({ operationId: 'startWorkflow', caller: 'ci' });
    expect(found[0]).toMatchObject({ err: { message: 'no idea' } });
  });

  it('has the operation, and no caller, of a call whose key is not known', async () => {
    const api = await serve({ keys });
    await api.get('/api/workflows/x/status', { authorization: 'Bearer secret-of-bob', 'x-request-id': 'r-1' });
    const [line] = await linesOf(api, 'r-1');
    expect(line).toMatchObject({ operationId: 'workflowStatus', res: { status: 401 } });
    expect(line).not.toHaveProperty('caller');
  });

  it('never has a secret: no header, no body, no query', async () => {
    const api = await serve({ keys });
    const headers = { authorization: 'Bearer secret-of-ci', cookie: 'secret-of-ci', 'idempotency-key': 'secret-of-ci' };
    await api.post('/api/workflows/shop/start?key=secret-of-ci', { secret: 'secret-of-ci' }, headers);
    await api.get('/api/workflows/x/history?limit=secret-of-ci', headers);
    await api.get('/nowhere?token=secret-of-ci', { ...headers, 'x-request-id': 'r-1' });
    await api.get('/healthz', { authorization: 'Bearer secret-of-web-that-is-wrong' });
    const [line] = await linesOf(api, 'r-1');
    expect(line?.req?.url).toBe('/nowhere?…');
    expect(api.logged.join('')).not.toContain('secret-of');
  });

  it('has of a long address as much as shows what it is', async () => {
    const api = await serve();
    await api.get(`/${'x'.repeat(9000)}`, { 'x-request-id': 'r-1' });
    const [line] = await linesOf(api, 'r-1');
    expect(line?.req?.url).toHaveLength(300);
  });
});

describe('the request id', () => {
  it.each([
    ['a reply', 'GET', '/healthz', 200],
    ['no such address', 'GET', '/nowhere', 404],
    ['no such method', 'DELETE', '/healthz', 405],
    ['what is allowed', 'OPTIONS', '/healthz', 204],
    ['a stranger', 'GET', '/metrics', 401],
    ['a question before a call', 'OPTIONS', '/metrics', 204],
  ])('is in the answer about %s', async (what, method, path, status) => {
    const { server } = await serve({ keys, corsOrigins: ['https://shop.example'] });
    const asks = { origin: 'https://shop.example', 'access-control-request-method': 'GET' };
    const reply = await rawCall(server.port, path, { method, headers: what.startsWith('a question') ? asks : {} });
    expect([reply.status, reply.headers['x-request-id']]).toEqual([status, expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  });

  it.each(['a b', 'x'.repeat(101), '<script>', '{"a":1}', 'a,b', ''])('is a new one where %j came', async (given) => {
    const { server } = await serve();
    const { headers } = await rawCall(server.port, '/healthz', { headers: { 'x-request-id': given } });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});
