import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ArrivalTimeouts, createHttpServer } from '../../src/api/http-server.ts';
import { rawExchange } from './raw-call.ts';

const TIMEOUTS: ArrivalTimeouts = { headersMs: 1000, requestMs: 1000, checkMs: 20 };
const FOR_EVER_MS = 3_600_000;

async function start(app: RequestListener, timeouts = TIMEOUTS): Promise<number> {
  const server = createHttpServer(app, pino({ level: 'silent' }), timeouts);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  onTestFinished(() => server.closeAllConnections());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/** A connection of which a test sends and reads a piece at a time. */
function dial(port: number): Readonly<{ socket: Socket; has(text: string): Promise<void>; closed: Promise<string> }> {
  let read = '';
  const socket = connect({ host: '127.0.0.1', port });
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    read += chunk;
  });
  onTestFinished(() => void socket.destroy());
  const has = (text: string) =>
    new Promise<void>((resolve) => {
      const look = (): void => {
        if (!read.includes(text)) return;
        socket.off('data', look);
        resolve();
      };
      socket.on('data', look);
      look();
    });
  return { socket, has, closed: new Promise((resolve) => socket.once('close', () => resolve(read))) };
}

const HEAD = 'POST / HTTP/1.1\r\nHost: localhost\r\n';

describe('a caller who is slow', () => {
  it.each([
    ['never ends the headers', HEAD, { ...TIMEOUTS, requestMs: FOR_EVER_MS }],
    ['never ends the body', `${HEAD}Content-Length: 10\r\n\r\nhalf`, TIMEOUTS],
  ])('and %s is answered with 408 and cut off', async (_what, bytes, timeouts) => {
    const port = await start((req, res) => void req.on('end', () => res.end('whole')).resume(), timeouts);
    const answer = await rawExchange(port, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*\r\nX-Request-Id: [0-9a-f-]{36}\r\n.*"code":"request_timeout"/s);
    expect(answer).toMatch(/^Content-Type: application\/problem\+json; charset=utf-8$/m);
  });
});

describe('an answer that goes on', () => {
  /** A server of streams: the test writes to the first one. */
  async function streaming() {
    let began = (_write: (text: string) => void): void => undefined;
    const first = new Promise<(text: string) => void>((resolve) => {
      began = resolve;
    });
    const port = await start((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.write('first\n');
      began((text) => void res.write(text));
    });
    return { port, first };
  }

  it('is not cut off by the time that a call may take to arrive', async () => {
    const { port, first } = await streaming();
    const stream = dial(port);
    stream.socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await stream.has('first');
    // Both began later, so that the stream has outlived both limits when they are cut off.
    await Promise.all([rawExchange(port, HEAD), rawExchange(port, `${HEAD}Content-Length: 10\r\n\r\n`)]);
    (await first)('still here\n');
    await stream.has('still here');
    expect(stream.socket.destroyed).toBe(false);
  });

  it('gets no words of another answer into it when its caller sends nonsense behind the call', async () => {
    const { port } = await streaming();
    const stream = dial(port);
    stream.socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await stream.has('first');
    stream.socket.write('nonsense\r\n\r\n');
    expect(await stream.closed).not.toMatch(/400|problem/);
  });
});
