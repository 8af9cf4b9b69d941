import { describe, expect, it } from 'vitest';
import { readApiKeys } from '../../src/api-keys.ts';
import { exampleCalls } from './example-calls.ts';
import { rawCall, rawExchange } from './raw-call.ts';
import { serve } from './serve.ts';

const START = '/api/workflows/shop/start';
const BODY = JSON.stringify({ build_id: 'b-1', user_id: 'ann', requirements: 'a slugifier' });
const start = (port: number, headers: Record<string, string>) =>
  rawCall(port, START, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: BODY });

describe('without keys, a call', () => {
  it.each(['127.0.0.1:3000', 'localhost', 'LOCALHOST:8080', '[::1]:3000'])('to the host %s is served', async (host) => {
    const { server } = await serve();
    expect((await start(server.port, { host })).status).toBe(200);
  });

  it.each(['evil.example', 'evil.example:3000', '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.7', 'a b'])(
    'to the host %j is refused: a name of its own makes a page one of this server (DNS rebinding)',
    async (host) => {
      const api = await serve();
      const reply = await start(api.server.port, { host });
      expect([reply.status, JSON.parse(reply.text)]).toMatchObject([403, { code: 'loopback_only' }]);
      expect(JSON.parse(reply.text).detail).toMatch(/127\.0\.0\.1.*API_KEYS/);
      expect(api.builds.started).toEqual([]);
      expect((await rawCall(api.server.port, '/healthz', { headers: { host } })).status).toBe(403);
    },
  );

  it.each(['http://localhost:5173', 'http://127.0.0.1:3000', 'http://[::1]:3000', 'https://shop.example'])(
    'from a page of %s, which is of this machine or listed, is served',
    async (origin) => {
      const { server } = await serve({ corsOrigins: ['https://shop.example'] });
      expect((await start(server.port, { origin })).status).toBe(200);
    },
  );

  const posts = exampleCalls().filter(({ route }) => route.method === 'post');
  it.each(posts)('$operationId from a page of anywhere else is refused, with a body or without', async (call) => {
    const api = await serve();
    const id = await api.startExternal();
    const { body, headers } = call.init(id, {});
    for (const origin of ['https://evil.example', 'http://localhost.evil.example', 'null', 'file://']) {
      const options = {
        method: 'POST',
        headers: { ...(headers as Record<string, string>), origin },
        body: String(body ?? ''),
      };
      const reply = await rawCall(api.server.port, call.path(id), options);
      expect([reply.status, JSON.parse(reply.text).code]).toEqual([403, 'loopback_only']);
    }
    expect(api.builds.started).toHaveLength(1);
    expect(api.builds.executed).toEqual([]);
  });

  it('that a browser makes without asking, as text, is refused even from here', async () => {
    const api = await serve();
    const reply = await start(api.server.port, { 'content-type': 'text/plain', origin: 'http://localhost:5173' });
    expect([reply.status, api.builds.started]).toEqual([415, []]);
  });
});

describe('with keys, a call', () => {
  it('to any host and from any page is served: the key is the proof', async () => {
    const { keys } = readApiKeys('ci:secret-of-ci');
    const { server } = await serve({ keys });
    const key = { authorization: 'Bearer secret-of-ci' };
    expect((await start(server.port, { ...key, host: 'builds.example', origin: 'https://a.example' })).status).toBe(
      200,
    );
  });
});

describe('a call without a host', () => {
  it.each(['1.1', '1.0'])('is 400 in HTTP/%s', async (version) => {
    const { server } = await serve();
    const answer = await rawExchange(server.port, `GET /healthz HTTP/${version}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 400 .*X-Request-Id: [0-9a-f-]{36}.*"code":"invalid_body"/s);
    expect(answer).toContain('Host header is missing');
  });
});
