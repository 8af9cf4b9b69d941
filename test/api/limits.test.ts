import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { rawCall, rawExchange } from './raw-call.ts';
import { type Reply, serve } from './serve.ts';

const START = '/api/workflows/shop/start';
const HISTORY = '/api/workflows/0e5e7715-0cdc-5dfe-a658-ece67c93fb48/history';
const BODY = { build_id: 'b-1', user_id: 'ann', requirements: 'a slugifier' };
const JSON_TYPE = { 'content-type': 'application/json' };
const MEBIBYTE = 1024 * 1024;

const placesOf = ({ body }: Reply): string[] => (body.faults as { at: string }[]).map(({ at }) => at);

/** The problem in an answer that was read as bytes. */
function problemIn(answer: string): Record<string, unknown> {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(/^content-type: application\/problem\+json; charset=utf-8$/im);
  expect(head).toMatch(/^x-request-id: [0-9a-f-]{36}$/im);
  const problem = JSON.parse(body) as Record<string, unknown>;
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${problem.status} `));
  return problem;
}

describe('a body', () => {
  it('of more than 1 MiB is 413 as soon as its length is announced', async () => {
    const { server } = await serve();
    const headers = { ...JSON_TYPE, 'content-length': String(100 * MEBIBYTE) };
    const { status, text } = await rawCall(server.port, START, { method: 'POST', headers });
    expect([status, JSON.parse(text).code]).toEqual([413, 'body_too_large']);
    expect(JSON.parse(text).detail).toMatch(/104857600 bytes; at most 1048576/);
  });

  it('without a length is 413 when it gets too long', async () => {
    const api = await serve();
    const chunks = new ReadableStream({
      start(controller) {
        for (let n = 0; n < 20; n += 1) controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
        controller.close();
      },
    });
    const init = { method: 'POST', headers: JSON_TYPE, body: chunks, duplex: 'half' } as RequestInit;
    expect((await api.send(START, init)).body).toMatchObject({ status: 413, code: 'body_too_large' });
  });

  it('that is small only because it is compressed is 413', async () => {
    const api = await serve();
    const bomb = gzipSync(Buffer.alloc(50 * MEBIBYTE));
    expect(bomb.length).toBeLessThan(MEBIBYTE);
    const reply = await api.post(START, bomb, { 'content-encoding': 'gzip' });
    expect(reply.body).toMatchObject({ status: 413, code: 'body_too_large' });
  });

  it('that is compressed is read', async () => {
    const api = await serve();
    const reply = await api.post(START, gzipSync(JSON.stringify(BODY)), { 'content-encoding': 'gzip' });
    expect(reply.status).toBe(200);
  });

  it('that is no gzip though it says so is 400', async () => {
    const api = await serve();
    const reply = await api.post(START, JSON.stringify(BODY), { 'content-encoding': 'gzip' });
    expect(reply.body).toMatchObject({ status: 400, code: 'invalid_body' });
  });

  it('of no type is 415', async () => {
    const { server } = await serve();
    const { text } = await rawCall(server.port, START, { method: 'POST', body: JSON.stringify(BODY) });
    expect(JSON.parse(text)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });

  it('with very many faults is told of a hundred, and how many more there are', async () => {
    const api = await serve();
    const reply = await api.post(START, Object.fromEntries(Array.from({ length: 60_000 }, (_, n) => [`f${n}`, n])));
    expect(reply.status).toBe(400);
    const faults = reply.body.faults as { fault: string }[];
    expect([faults.length, faults.at(-1)?.fault]).toEqual([101, expect.stringMatching(/^has \d{5} more faults$/)]);
    expect(reply.text.length).toBeLessThan(50_000);
  });

  it('with a list of roles longer than there are roles is 400, without a look at each', async () => {
    const api = await serve();
    const reply = await api.post(START, { ...BODY, external_roles: Array(200_000).fill('x') });
    expect([reply.status, placesOf(reply)]).toEqual([400, ['external_roles']]);
  });

  it('with keys that mean something to JavaScript is refused like any other unknown field', async () => {
    const api = await serve();
    const text = `{"__proto__":{"build_id":"b-1"},"constructor":1,${JSON.stringify(BODY).slice(1)}`;
    const reply = await api.post(START, text);
    expect([reply.status, placesOf(reply).sort()]).toEqual([400, ['__proto__', 'constructor']]);
  });
});

describe('a query', () => {
  it.each([
    ['limit=5&limit=6', ['limit']],
    ['cursor=a&cursor=b', ['cursor']],
    ['limit[]=5', ['limit[]']],
    ['limit[a]=5&__proto__=1', ['limit[a]', '__proto__']],
    ['limit=%00', ['limit']],
    ['limit=%ff', ['limit']],
    ['limit=', ['limit']],
    [`cursor=${'x'.repeat(10_000)}`, ['cursor']],
    [`${'k'.repeat(5_000)}=1`, [`${'k'.repeat(80)}…`]],
  ])('%.40s is 400 with every fault', async (query, places) => {
    const api = await serve();
    const reply = await api.get(`${HISTORY}?${query}`);
    expect([reply.status, reply.body.code]).toEqual([400, 'invalid_body']);
    expect(placesOf(reply).sort()).toEqual(places.toSorted());
  });

  it('of a thousand parameters is 400', async () => {
    const api = await serve();
    const reply = await api.get(`${HISTORY}?${Array.from({ length: 1000 }, (_, n) => `a${n}`).join('&')}`);
    expect([reply.status, placesOf(reply).length]).toEqual([400, 101]);
  });
});

describe('a path', () => {
  it.each(['%00', 'a%0Ab', 'x'.repeat(201), '%20'])('with the name %.20s is 400', async (name) => {
    const api = await serve();
    const reply = await api.get(`/api/workflows/${name}/status`);
    expect([reply.status, reply.body.code, placesOf(reply)]).toEqual([400, 'invalid_body', ['workflow_id']]);
  });

  it('of which nothing is known is shown no further than 200 characters', async () => {
    const api = await serve();
    const reply = await api.get(`/${'x'.repeat(10_000)}`);
    expect(reply.status).toBe(404);
    expect(reply.text.length).toBeLessThan(500);
  });
});

describe('headers', () => {
  it.each([
    [
      'a line of more than 16 kB',
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    [
      'more than 16 kB',
      `GET / HTTP/1.1\r\nHost: localhost\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ['no HTTP', 'HELO mail.example\r\n\r\n', 400, 'invalid_body'],
    ['a name with a space', 'GET / HTTP/1.1\r\nHost: localhost\r\nA b: c\r\n\r\n', 400, 'invalid_body'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
      'invalid_body',
    ],
    ['a length of minus one', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n', 400, 'invalid_body'],
    [
      'a length beside chunks',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'invalid_body',
    ],
  ])('with %s are answered with a problem, and the connection ends', async (_what, bytes, status, code) => {
    const { server, logged } = await serve();
    const answer = await rawExchange(server.port, bytes);
    expect(problemIn(answer)).toMatchObject({ status, code });
    const id = /x-request-id: (\S+)/i.exec(answer)?.[1] ?? 'none';
    expect(logged.some((line) => line.includes(id))).toBe(true);
  });

  it('with an expectation that is not known are answered all the same', async () => {
    const { server } = await serve();
    const { status, headers } = await rawCall(server.port, '/healthz', { headers: { expect: 'a-miracle' } });
    expect([status, headers['x-request-id']]).toEqual([200, expect.any(String)]);
  });

  it.each([
    ['two Idempotency-Keys', 'Idempotency-Key: a\r\nIdempotency-Key: b'],
    ['an empty Idempotency-Key', 'Idempotency-Key:'],
    ['an Idempotency-Key that is no ASCII', 'Idempotency-Key: \u00e9'],
    ['an Idempotency-Key of 201 characters', `Idempotency-Key: ${'k'.repeat(201)}`],
  ])('with %s are 400', async (_what, header) => {
    const { server, builds } = await serve();
    const body = JSON.stringify(BODY);
    const head = `POST ${START} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json`;
    const answer = await rawExchange(
      server.port,
      `${head}\r\nContent-Length: ${body.length}\r\n${header}\r\n\r\n${body}`,
    );
    expect(problemIn(answer)).toMatchObject({ status: 400, faults: [{ at: 'Idempotency-Key' }] });
    expect(builds.started).toEqual([]);
  });
});
