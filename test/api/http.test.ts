import { describe, expect, it } from 'vitest';
import { depthOf } from '../../src/api/body.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { readApiKeys } from '../../src/api-keys.ts';
import { AppError, ERROR_STATUS } from '../../src/errors.ts';
import { rawExchange } from './raw-call.ts';
import { serve } from './serve.ts';

const START = '/api/workflows/shop/start';
const BODY = { build_id: 'b-1', user_id: 'ann', requirements: 'a slugifier' };

describe('an error', () => {
  it('is problem+json with a stable type and code', async () => {
    const api = await serve();
    const reply = await api.get('/nowhere');
    expect(reply.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(reply.body).toEqual({
      type: 'urn:q-orchestrator:problem:not_found',
      title: 'Not found',
      status: 404,
      detail: 'There is nothing at "/nowhere"; see the list of calls in the documentation.',
      code: 'not_found',
    });
  });

  it.each([
    ['GET', '/\\L@#uE|h~'],
    ['POST', '/\\L@#uE|h~'],
    ['GET', 'http://[/x'],
  ])('an address that cannot be read is answered like any other: %s %s', async (method, target) => {
    const { server } = await serve();
    const head = `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: close\r\n\r\n`;
    const answer = await rawExchange(server.port, head);
    expect(answer).toMatch(/^HTTP\/1\.1 404 .*"code":"not_found"/s);
    expect(answer).toMatch(/^X-Request-Id: [0-9a-f-]{36}\r$/m);
    expect(answer).toMatch(/^Content-Type: application\/problem\+json; charset=utf-8\r$/m);
    expect(answer).toMatch(/^X-Content-Type-Options: nosniff\r$/m);
  });

  it.each([
    ['get', START, 'POST'],
    ['delete', START, 'POST'],
    ['put', '/api/workflows/x/advance', 'POST'],
    ['post', '/api/workflows/x/status', 'GET, HEAD'],
    ['post', '/healthz', 'GET, HEAD'],
  ])('%s %s is 405 and says what is allowed', async (method, path, allowed) => {
    const api = await serve();
    const reply = await api.send(path, { method: method.toUpperCase() });
    expect(reply.body).toMatchObject({ status: 405, code: 'method_not_allowed' });
    expect(reply.headers.get('allow')).toBe(allowed);
  });

  it('tells a project from a build by what follows: both have calls of the same shape', async () => {
    const api = await serve();
    const started = await api.post('/api/workflows/advance/start', BODY);
    expect(started.status).toBe(200);
    expect(api.builds.started[0]?.projectId).toBe('advance');
    expect((await api.post('/api/workflows/start/abort', { reason: 'x' })).body.code).toBe('not_found');
  });

  it.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/json; charset=latin1', 415],
    ['application/json; charset=UTF-8', 200],
    ['application/vnd.shop+json', 200],
  ])('a body of %s is %s', async (type, status) => {
    const api = await serve();
    const reply = await api.post(START, JSON.stringify(BODY), { 'content-type': type });
    expect(reply.status).toBe(status);
    if (status === 415) expect(reply.body.code).toBe('unsupported_media_type');
  });

  it('a compressed body of an unknown kind is 415', async () => {
    const api = await serve();
    const reply = await api.post(START, JSON.stringify(BODY), { 'content-encoding': 'rot13' });
    expect(reply.body).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });

  it('an address that is no URL encoding is 400', async () => {
    const api = await serve();
    expect((await api.get('/api/workflows/%E0%A4/status')).body).toMatchObject({ status: 400, code: 'invalid_body' });
  });

  it('of our own says nothing of the inside, but the log does', async () => {
    const api = await serve();
    api.builds.fault = new Error('secret in /etc/passwd') as AppError;
    const reply = await api.post(START, BODY, { 'x-request-id': 'r-17' });
    expect(reply.body).toEqual({
      type: 'urn:q-orchestrator:problem:internal',
      title: 'Internal',
      status: 500,
      detail: expect.stringContaining('X-Request-Id'),
      code: 'internal',
    });
    expect(reply.text).not.toMatch(/passwd|at .*\.ts|node_modules/);
    const line = api.logged.find((text) => text.includes('passwd'));
    expect(line).toContain('r-17');
  });

  it('with a code of status 500 is told to callers as internal', async () => {
    const api = await serve();
    api.builds.fault = new AppError('artifact_missing', 'Artifact is not in /var/lib/secret');
    const reply = await api.post(START, BODY);
    expect(reply.body.code).toBe('internal');
    expect(reply.text).not.toContain('/var/lib/secret');
  });
});

describe('every answer', () => {
  it('carries the request id that came, or a new one', async () => {
    const api = await serve();
    expect((await api.get('/healthz', { 'x-request-id': 'abc-1' })).headers.get('x-request-id')).toBe('abc-1');
    const made = (await api.get('/healthz')).headers.get('x-request-id');
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
    expect(api.logged.some((line) => line.includes(String(made)))).toBe(true);
  });

  it('has the headers that browsers need to be careful, and does not name the server', async () => {
    const api = await serve();
    const { headers } = await api.get('/nowhere');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.has('x-powered-by')).toBe(false);
  });
});

describe('with API keys', () => {
  const { keys } = readApiKeys('ci:secret-of-ci,ann:secret-of-ann');

  it.each([
    ['no header', {}],
    ['a wrong key', { authorization: 'Bearer secret-of-bob' }],
    ['a key of another scheme', { authorization: 'Basic secret-of-ci' }],
    ['an empty key', { authorization: 'Bearer ' }],
  ])('%s is 401, before anything is read or done', async (_what, headers) => {
    const api = await serve({ keys });
    const reply = await api.post(START, '{"build_id":', headers);
    expect(reply.body).toMatchObject({ status: 401, code: 'unauthorized' });
    expect(reply.headers.get('www-authenticate')).toBe('Bearer');
    expect(reply.text).not.toContain('secret-of');
    expect(api.builds.started).toEqual([]);
  });

  it('the name of the key is the actor, and its secret is nowhere', async () => {
    const api = await serve({ keys });
    const as = (secret: string) => ({ authorization: `Bearer ${secret}` });
    const started = await api.post(START, BODY, as('secret-of-ci'));
    const path = `/api/workflows/${started.body.workflow_id}/rollback`;
    const body = { target_state: 'discovery', reason: 'x' };
    const reply = await api.post(path, body, as('secret-of-ann'));
    expect(reply.body.rolled_back_by).toBe('ann');
    expect(api.builds.executed[0]?.message.actor).toBe('ann');
    expect(api.logged.join('')).not.toContain('secret-of');
  });

  it('the same Idempotency-Key of two callers is two operations', async () => {
    const api = await serve({ keys });
    const started = await api.post(START, BODY, { authorization: 'Bearer secret-of-ci' });
    const path = `/api/workflows/${started.body.workflow_id}/rollback`;
    for (const secret of ['secret-of-ci', 'secret-of-ann']) {
      const headers = { authorization: `Bearer ${secret}`, 'idempotency-key': 'k' };
      await api.post(path, { target_state: 'discovery', reason: 'x' }, headers);
    }
    expect(new Set(api.builds.executed.map(({ opId }) => opId)).size).toBe(2);
  });

  it('health is told to anyone', async () => {
    const api = await serve({ keys });
    expect((await api.get('/healthz')).status).toBe(200);
    expect((await api.get('/readyz')).status).toBe(200);
  });
});

describe('readiness', () => {
  it.each([
    [true, true, 200, 'ready'],
    [false, true, 503, 'not_ready'],
    [true, false, 503, 'not_ready'],
  ])('with Temporal %s and the mirror %s is %s', async (temporal, mirror, status, told) => {
    const api = await serve({ readiness: async () => ({ temporal, mirror }) });
    const reply = await api.get('/readyz');
    expect(reply).toMatchObject({ status, body: { status: told, temporal, mirror } });
  });

  it('is 503 when it cannot be found out', async () => {
    const api = await serve({ readiness: () => Promise.reject(new Error('no idea')) });
    expect((await api.get('/readyz')).status).toBe(503);
  });

  it('does not wait for ever', async () => {
    const api = await serve({ readiness: () => new Promise(() => undefined) });
    expect((await api.get('/readyz')).status).toBe(503);
  });
});

describe('the table of routes', () => {
  it('names every call once, and only errors that exist', () => {
    const calls = ROUTES.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(calls).size).toBe(calls.length);
    expect(new Set(ROUTES.map(({ operationId }) => operationId)).size).toBe(calls.length);
    for (const code of ROUTES.flatMap(({ errors }) => errors)) expect(ERROR_STATUS).toHaveProperty(code);
  });
});

describe('the depth of a JSON text', () => {
  it.each([
    ['1', 0],
    ['{"a":[1,{"b":2}],"c":[]}', 3],
    ['{"a":"[[[[","b":"\\"[["}', 1],
    ['["\\\\",[["\\\\\\"[["]]]', 3],
  ])('of %s is %s', (text, depth) => {
    expect(depthOf(text)).toBe(depth);
  });
});
