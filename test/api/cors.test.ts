import { describe, expect, it } from 'vitest';
import { ROUTES } from '../../src/api/routes.ts';
import { readApiKeys } from '../../src/api-keys.ts';
import { rawCall } from './raw-call.ts';
import { serve } from './serve.ts';

const SHOP = 'https://shop.example';
const { keys } = readApiKeys('ci:secret-of-ci');
const CORS = { keys, corsOrigins: [SHOP, 'http://localhost:5173'] };
const STATUS = '/api/workflows/0e5e7715-0cdc-5dfe-a658-ece67c93fb48/status';
const PATHS = [...new Set(ROUTES.map(({ path }) => path.replace(/:\w+/, 'x'))), '/nowhere'];

const preflight = (origin: string, method = 'POST') => ({
  origin,
  'access-control-request-method': method,
  'access-control-request-headers': 'authorization,content-type,idempotency-key,last-event-id',
});
const corsHeaders = (headers: object): string[] =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));
const listed = (header: unknown): string[] => String(header).toLowerCase().split(',');

describe('a page of a listed origin', () => {
  it.each(PATHS)('may ask about %s before it calls, without a key', async (path) => {
    const { server } = await serve(CORS);
    const reply = await rawCall(server.port, path, { method: 'OPTIONS', headers: preflight(SHOP) });
    expect(reply).toMatchObject({ status: 204, text: '' });
    expect(reply.headers['access-control-allow-origin']).toBe(SHOP);
    expect(listed(reply.headers['access-control-allow-methods'])).toEqual(['get', 'head', 'post']);
    expect(listed(reply.headers['access-control-allow-headers'])).toEqual(
      expect.arrayContaining(['authorization', 'content-type', 'idempotency-key', 'last-event-id']),
    );
    expect(reply.headers.vary).toContain('Origin');
  });

  it('reads answers and problems, with the headers that it needs, and sends no cookies', async () => {
    const { server } = await serve({ ...CORS, rateLimitPerS: 5 });
    const own = { origin: SHOP, authorization: 'Bearer secret-of-ci' };
    for (const [headers, path, status] of [
      [own, '/healthz', 200],
      [own, STATUS, 404],
      [{ origin: SHOP }, STATUS, 401],
      [own, '/nowhere', 404],
    ] as const) {
      const reply = await rawCall(server.port, path, { headers });
      expect([path, reply.status]).toEqual([path, status]);
      expect(reply.headers['access-control-allow-origin']).toBe(SHOP);
      expect(reply.headers).not.toHaveProperty('access-control-allow-credentials');
      expect(listed(reply.headers['access-control-expose-headers'])).toEqual([
        'x-request-id',
        'idempotency-key',
        'retry-after',
        'ratelimit',
        'ratelimit-policy',
        'etag',
        'content-range',
        'content-disposition',
      ]);
    }
  });

  it('can read every header of a limited answer that tells of the limit', async () => {
    const { server } = await serve({ ...CORS, rateLimitPerS: 1 });
    const headers = { origin: SHOP, authorization: 'Bearer secret-of-ci' };
    await rawCall(server.port, STATUS, { headers });
    const refused = await rawCall(server.port, STATUS, { headers });
    expect(refused.status).toBe(429);
    const exposed = listed(refused.headers['access-control-expose-headers']);
    const telling = Object.keys(refused.headers).filter((name) => /^(ratelimit|retry-after)/.test(name));
    expect(telling).toHaveLength(3);
    expect(exposed).toEqual(expect.arrayContaining(telling));
  });
});

describe('a page of another origin', () => {
  it.each(['https://evil.example', 'https://shop.example.evil.example', 'http://shop.example', 'null'])(
    '%s gets no CORS header, neither before nor after its call',
    async (origin) => {
      const { server } = await serve(CORS);
      const asked = await rawCall(server.port, STATUS, { method: 'OPTIONS', headers: preflight(origin) });
      const called = await rawCall(server.port, '/healthz', { headers: { origin } });
      expect([...corsHeaders(asked.headers), ...corsHeaders(called.headers)]).toEqual([]);
      expect(called.headers.vary).toContain('Origin');
    },
  );
});

describe('without CORS_ORIGINS', () => {
  it('no page hears anything of CORS, and OPTIONS says what is allowed', async () => {
    const { server } = await serve({ keys });
    const reply = await rawCall(server.port, STATUS, { method: 'OPTIONS', headers: preflight(SHOP) });
    expect(reply).toMatchObject({ status: 204, headers: { allow: 'GET, HEAD' } });
    expect(corsHeaders(reply.headers)).toEqual([]);
    expect(reply.headers).not.toHaveProperty('vary');
  });
});
