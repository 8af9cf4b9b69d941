import { createServer } from 'node:http';
import { connect } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listen } from '../../src/api/listen.ts';

const HOST = '127.0.0.1';
const LOG = pino({ level: 'silent' });
const hello = (_req: unknown, res: { end(text: string): void }): void => res.end('hello');

/** A port that something else listens on. */
async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

describe('listening', () => {
  it('on port 0 takes any free port and says which', async () => {
    const server = await listen(hello, { host: HOST, port: 0, fixed: true }, LOG);
    onTestFinished(() => server.close());
    expect(server.url).toBe(`http://${HOST}:${server.port}`);
    expect(await (await fetch(server.url)).text()).toBe('hello');
  });

  it('on a fixed port that is taken fails, with the remedy', async () => {
    const port = await takenPort();
    await expect(listen(hello, { host: HOST, port, fixed: true }, LOG)).rejects.toMatchObject({
      code: 'port_taken',
      message: expect.stringMatching(new RegExp(`PORT=${port}.*free port`)),
    });
  });

  it('on a port that is taken, but not fixed, takes another', async () => {
    const port = await takenPort();
    const server = await listen(hello, { host: HOST, port, fixed: false }, LOG);
    onTestFinished(() => server.close());
    expect(server.port).not.toBe(port);
    expect((await fetch(server.url)).status).toBe(200);
  });

  it('on an address of another machine says so', async () => {
    await expect(listen(hello, { host: '192.0.2.1', port: 0, fixed: true }, LOG)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('192.0.2.1'),
    });
  });
});

describe('closing', () => {
  it('ends although a stream never ends and a connection is kept alive, and may be called twice', async () => {
    const server = await listen((_req, res) => void res.write('first'), { host: HOST, port: 0, fixed: true }, LOG);
    const stream = await fetch(server.url);
    const idle = connect({ host: HOST, port: server.port });
    await new Promise((resolve) => idle.once('connect', resolve));
    const ended = new Promise((resolve) => idle.once('close', resolve));
    await Promise.all([server.close(), server.close()]);
    await expect(stream.text()).rejects.toThrow();
    await ended;
    await expect(fetch(server.url)).rejects.toThrow();
  });

  it('lets an answer that is under way finish', async () => {
    let finish = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const server = await listen(
      (_req, res) => {
        finish();
        setImmediate(() => res.end('done'));
      },
      { host: HOST, port: 0, fixed: true },
      LOG,
    );
    const answer = fetch(server.url);
    await asked;
    await server.close();
    expect(await (await answer).text()).toBe('done');
  });
});
