import { connect, createServer } from 'node:net';
import { AppError } from '../errors.ts';

const CONNECT_DEADLINE_MS = 500;

/**
 * The preferred port when nothing listens on it, else any free one; 0 prefers none. The host is an address of this machine.
 */
export async function choosePort(preferred: number, host = '127.0.0.1'): Promise<number> {
  return preferred !== 0 && (await isFree(preferred, host)) ? preferred : await listenOnce(0, host);
}

/**
 * For a port the user fixed.
 * @param setting its name in the configuration, for the message
 * @throws AppError `port_taken`
 */
export async function requireFreePort(port: number, setting: string, host = '127.0.0.1'): Promise<void> {
  if (port !== 0 && !(await isFree(port, host))) throw portTaken(port, setting, host);
}

/** The error for a port that is taken, also for one that turned out so only when the server tried to listen. */
export function portTaken(port: number, setting: string, host: string): AppError {
  return new AppError(
    'port_taken',
    `${setting}=${port}: another process already listens on ${host}:${port}. Stop it, or set ${setting} to a free port.`,
  );
}

/** True when something accepts connections there within half a second. */
export function accepts(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const done = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(CONNECT_DEADLINE_MS, done(false));
    socket.once('connect', done(true)).once('error', done(false));
  });
}

// Some systems let a second process listen on a more specific address of the same port: so ask for an answer as well.
async function isFree(port: number, host: string): Promise<boolean> {
  if (await accepts(port, host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host)) return false;
  return await listenOnce(port, host).then(
    () => true,
    () => false,
  );
}

function listenOnce(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const chosen = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(chosen));
    });
  });
}
