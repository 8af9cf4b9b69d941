import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { AppError } from '../errors.ts';
import { accepts, portTaken } from '../stack/ports.ts';
import { type App, createHttpServer } from './http-server.ts';

/** `fixed`: the user chose the port, so that no other will do. Port 0 is any free one. */
export type ListenOptions = Readonly<{ host: string; port: number; fixed: boolean }>;
export type Listening = Readonly<{ url: string; port: number; close(): Promise<void> }>;

/** Ports that are tried after the wanted one, before any free one is taken. */
const NEXT_PORTS = 20;
/** Streams and slow readers get this long to end before their connections are cut. */
const CLOSE_GRACE_MS = 1000;

const errorCode = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

function bind(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** @returns the port, or null when it is taken @throws AppError `config_invalid` for an address that cannot be used */
async function tryBind(server: Server, port: number, host: string): Promise<number | null> {
  // Some systems let a second process bind a more specific address of a port that is in use.
  if (port !== 0 && (await accepts(port, host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host))) return null;
  try {
    return await bind(server, port, host);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EADDRINUSE') return null;
    const why = code === 'EACCES' ? 'may not be used without more rights' : 'cannot be listened on';
    throw new AppError(
      'config_invalid',
      `HOST=${host}, PORT=${port} ${why} (${String(code)}); choose an address of this machine and a port over 1023.`,
      {},
      { cause: error },
    );
  }
}

async function bindAny(server: Server, { host, port, fixed }: ListenOptions): Promise<number> {
  const following = Array.from({ length: NEXT_PORTS }, (_, n) => port + 1 + n).filter((next) => next < 65_536);
  for (const candidate of fixed ? [port] : [port, ...following, 0]) {
    const bound = await tryBind(server, candidate, host);
    if (bound !== null) return bound;
  }
  throw portTaken(port, 'PORT', host);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/**
 * Serves an app. `close` lets answers that are under way finish, for a second at most, and may be called more than once.
 * @throws AppError `port_taken` when a fixed port is in use; `config_invalid` for an address that cannot be used
 */
export async function listen(app: App, options: ListenOptions, log: Logger): Promise<Listening> {
  const server = createHttpServer(app, log);
  const port = await bindAny(server, options);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  let closed: Promise<void> | null = null;
  return {
    url: `http://${host}:${port}`,
    port,
    close: () => {
      closed ??= closeServer(server);
      return closed;
    },
  };
}
