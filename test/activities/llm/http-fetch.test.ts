import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { callModel } from '../../../src/activities/llm/chat.ts';
import { CallFailed } from '../../../src/activities/llm/failure.ts';
import { httpFetch } from '../../../src/activities/llm/http-fetch.ts';
import type { ModelRoute } from '../../../src/models.ts';
import { eventually } from '../../eventually.ts';
import { delta, event, sendAnswer, sendJson, serveModel, startStream } from './model-server.ts';

const DEADLINE_MS = 3_600_000;
/** What the client's own timer has beyond the deadline. */
const CLIENT_MARGIN_MS = 5_000;

const ask = (route: ModelRoute, onProgress?: () => void) =>
  callModel({
    route,
    messages: [{ role: 'user', content: 'hi' }],
    deadlineMs: DEADLINE_MS,
    signal: new AbortController().signal,
    onProgress,
  });
const failureOf = async (call: Promise<unknown>) => {
  const outcome = await call.catch((error: unknown) => error);
  if (!(outcome instanceof CallFailed)) throw new Error(`expected a failed call, got ${String(outcome)}`);
  return outcome.failure;
};

/** Node's own timers, those of sockets included, that something set and that are still running, in ms. */
function timersOf<T>(run: () => T): { result: T; runningMs: () => number[] } {
  const inside = new AsyncLocalStorage<true>();
  const timers: { _idleTimeout: number; _destroyed: boolean }[] = [];
  const hook = createHook({
    init: (_id, type, _trigger, resource) => {
      if (type === 'Timeout' && inside.getStore()) timers.push(resource as (typeof timers)[number]);
    },
  }).enable();
  onTestFinished(() => void hook.disable());
  const running = () => timers.filter((timer) => !timer._destroyed && timer._idleTimeout > 0);
  return { result: inside.run(true, run), runningMs: () => running().map((timer) => timer._idleTimeout) };
}

/** A listener that takes connections and never says a word. */
async function startMute(): Promise<{ port: number; connected: Promise<Socket> }> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const connected = once(listener, 'connection').then(([socket]) => socket as Socket);
  onTestFinished(async () => {
    (await connected).destroy();
    await once(listener.close(), 'close');
  });
  return { port: (listener.address() as AddressInfo).port, connected };
}

afterEach(() => void vi.useRealTimers());

describe('a model that is slow', () => {
  test('is waited for by no timer but the deadline and, behind it, the client’s own', async () => {
    let response: ServerResponse | undefined;
    const { route, requests } = await serveModel((given) => {
      response = given;
    });
    let pieces = 0;
    const { result, runningMs } = timersOf(() => ask(route, () => pieces++));
    await eventually(() => expect(requests).toHaveLength(1));
    expect(runningMs().sort()).toEqual([DEADLINE_MS, DEADLINE_MS + CLIENT_MARGIN_MS]);
    startStream(response as ServerResponse).write(delta({ content: 'first' }));
    await eventually(() => expect(pieces).toBe(1));
    expect(runningMs()).toEqual([DEADLINE_MS]);
    response?.end(delta({}, 'stop'));
    expect((await result).content).toBe('first');
  });

  test('may take an hour to its first token, and between two', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { route } = await serveModel((response) => {
      vi.advanceTimersByTime(DEADLINE_MS / 2);
      startStream(response).write(delta({ content: 'x' }), () => {
        vi.advanceTimersByTime(DEADLINE_MS / 2 - 1);
        response.end(delta({}, 'stop'));
      });
    });
    expect((await ask(route)).content).toBe('x');
  });

  test('to take the connection at all is given up after 10 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { port, connected } = await startMute();
    const route = { provider: 'local', model: 'm', baseUrl: `https://127.0.0.1:${port}/v1`, apiKey: 'x' } as const;
    const failure = failureOf(ask(route));
    const socket = await connected;
    const closed = once(socket.resume(), 'close');
    vi.advanceTimersByTime(10_000);
    expect(await failure).toMatchObject({ type: 'ConnectionFailed', retryable: true });
    expect((await failure).message).toContain('timed out');
    await closed;
  });
});

describe('a connection', () => {
  test('is used again, and closed after 4 s without use', async () => {
    const { route, connections } = await serveModel((response) => sendAnswer(response, 'x'));
    const { result, runningMs } = timersOf(() => ask(route));
    await result;
    await eventually(() => expect(runningMs()).toEqual([4_000]));
    await ask(route);
    expect(connections()).toBe(1);
  });

  test('is closed by an abort, before the response and within it, and the reason is given', async () => {
    const { baseUrl, requests } = await serveModel((response, _, index) => {
      if (index > 0) startStream(response).write(delta({ content: 'half' }));
    });
    const before = new AbortController();
    const call = httpFetch(baseUrl, { signal: before.signal });
    await eventually(() => expect(requests).toHaveLength(1));
    before.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await requests[0]?.cut;
    const within = new AbortController();
    await httpFetch(baseUrl, { signal: within.signal });
    within.abort();
    await requests[1]?.cut;
  });

  test('is not made for a request that was aborted before', async () => {
    const { baseUrl, connections } = await serveModel((response) => sendAnswer(response, 'x'));
    await expect(httpFetch(baseUrl, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(connections()).toBe(0);
  });

  test('to an https address is encrypted from its first byte', async () => {
    const { port, connected } = await startMute();
    const call = httpFetch(`https://127.0.0.1:${port}/v1`).catch((error: unknown) => error);
    const socket = await connected;
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first[0]).toBe(0x16);
    socket.destroy();
    expect(await call).toBeInstanceOf(Error);
  });
});

describe('a reply', () => {
  const answer = Buffer.from(delta({ content: 'Grüße 😀' }) + delta({}, 'stop') + event('[DONE]'));

  test('is asked for as it is', async () => {
    const { route, requests } = await serveModel((response) => sendAnswer(response, 'x'));
    await ask(route);
    expect(requests[0]?.headers['accept-encoding']).toBe('identity');
  });

  test.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('is read also when it comes as %s', async (encoding, compress) => {
    const { route } = await serveModel((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': encoding });
      response.end(compress(answer));
    });
    expect((await ask(route)).content).toBe('Grüße 😀');
  });

  test.each([
    ['is no gzip although it says so', answer],
    ['breaks off in its gzip', gzipSync(answer).subarray(0, 60)],
  ])('that %s is cut', async (_, body) => {
    const { route } = await serveModel((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }).end(body);
    });
    expect(await failureOf(ask(route))).toMatchObject({ type: 'StreamCut', retryable: true });
  });

  test('that is a compressed error is understood', async () => {
    const { route } = await serveModel((response) => {
      response.writeHead(429, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(gzipSync('{"error":{"code":"insufficient_quota"}}'));
    });
    expect((await failureOf(ask(route))).type).toBe('QuotaExhausted');
  });

  test('has each of its headers, status and JSON', async () => {
    const { baseUrl } = await serveModel((response) => sendJson(response, 418, { tea: 1 }, { 'x-two': ['a', 'b'] }));
    const response = await httpFetch(new URL(baseUrl));
    expect([response.status, response.ok, response.headers.get('x-two')]).toEqual([418, false, 'a, b']);
    expect(await response.json()).toEqual({ tea: 1 });
  });
});
