import { describe, expect, it } from 'vitest';
import { createGuessLimit } from '../../src/api/rate-limit.ts';
import { readApiKeys } from '../../src/api-keys.ts';
import { type Served, serve } from './serve.ts';

const { keys } = readApiKeys('ci:secret-of-ci,ann:secret-of-ann,eye(read-only):secret-of-eye');
const LIMITED = { keys, rateLimitPerS: 3 };
const PATH = '/api/workflows/0e5e7715-0cdc-5dfe-a658-ece67c93fb48/status';

const call = (api: Served, secret: string) => api.get(PATH, { authorization: `Bearer ${secret}` });

async function statuses(times: number, ask: () => Promise<{ status: number }>): Promise<number[]> {
  const got: number[] = [];
  for (let n = 0; n < times; n += 1) got.push((await ask()).status);
  return got;
}

describe('with a rate limit, a key', () => {
  it('may make so many calls a second, and the next one is 429 with Retry-After', async () => {
    const api = await serve(LIMITED);
    expect(await statuses(3, () => call(api, 'secret-of-ci'))).toEqual([404, 404, 404]);
    const refused = await call(api, 'secret-of-ci');
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.body.detail).toMatch(/3 calls a second \(RATE_LIMIT_PER_S\)/);
    api.clock.nowMs += 999;
    expect((await call(api, 'secret-of-ci')).status).toBe(429);
    api.clock.nowMs += 1;
    expect(await statuses(4, () => call(api, 'secret-of-ci'))).toEqual([404, 404, 404, 429]);
  });

  it('is told in every answer what is left of the second', async () => {
    const api = await serve(LIMITED);
    const { headers } = await call(api, 'secret-of-ci');
    expect(headers.get('ratelimit-policy')).toMatch(/^"3-in-1sec"; q=3; w=1/);
    expect(headers.get('ratelimit')).toMatch(/^"3-in-1sec"; r=2; t=\d+/);
    expect(headers.has('x-ratelimit-limit')).toBe(false);
  });

  it('takes nothing from another one', async () => {
    const api = await serve(LIMITED);
    await statuses(4, () => call(api, 'secret-of-ci'));
    expect((await call(api, 'secret-of-ann')).status).toBe(404);
  });

  it('uses its share with calls that it has no right to as well', async () => {
    const api = await serve(LIMITED);
    const post = () => api.post(PATH.replace('status', 'abort'), {}, { authorization: 'Bearer secret-of-eye' });
    expect(await statuses(4, post)).toEqual([403, 403, 403, 429]);
  });

  it('is refused before any of its body is read, and nothing is done', async () => {
    const api = await serve(LIMITED);
    await statuses(3, () => call(api, 'secret-of-ci'));
    const body = { build_id: 'b-1', user_id: 'ann', requirements: 'a slugifier' };
    const reply = await api.post('/api/workflows/shop/start', body, { authorization: 'Bearer secret-of-ci' });
    expect(reply.status).toBe(429);
    expect(api.builds.started).toEqual([]);
  });
});

describe('no limit', () => {
  it.each(['/healthz', '/readyz'])('is on %s, for anyone', async (path) => {
    const api = await serve(LIMITED);
    const headers = { authorization: 'Bearer secret-of-ci' };
    expect(await statuses(20, () => api.get(path, headers))).toEqual(Array(20).fill(200));
    expect((await api.get(path)).headers.has('ratelimit')).toBe(false);
  });

  it('is where there are no keys: then all callers are on this machine', async () => {
    const api = await serve({ rateLimitPerS: 3 });
    expect(await statuses(10, () => api.get(PATH))).toEqual(Array(10).fill(404));
  });
});

describe('unknown keys from one address', () => {
  it('are 401 ten times a second; then no key of the address is looked at, so that no guess is told to be right', async () => {
    const api = await serve({ keys });
    expect(await statuses(10, () => call(api, 'secret-of-bob'))).toEqual(Array(10).fill(401));
    const refused = await call(api, 'secret-of-bob');
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await call(api, 'secret-of-ci')).status).toBe(429);
    expect((await api.get('/healthz')).status).toBe(200);
    api.clock.nowMs += 1000;
    expect((await call(api, 'secret-of-ci')).status).toBe(404);
  });

  it('are not calls without a key, which guess nothing', async () => {
    const api = await serve({ keys });
    expect(await statuses(20, () => api.get(PATH))).toEqual(Array(20).fill(401));
    expect((await call(api, 'secret-of-ci')).status).toBe(404);
  });

  it.each([
    ['192.0.2.1', '192.0.2.2', false],
    ['192.0.2.1', '::ffff:192.0.2.1', true],
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', true],
    ['2001:db8:0:1::1', '2001:db8:1:1::1', false],
  ])('%s and %s: they count together is %s', (one, other, together) => {
    const guesses = createGuessLimit(() => 0);
    for (let n = 0; n < 10; n += 1) guesses.countWrong(one);
    const ask = (): void => guesses.requireMore(other);
    if (together) expect(ask).toThrow(/Too many unknown API keys/);
    else expect(ask).not.toThrow();
  });
});
