import { Socket } from 'node:net';
import { Pool, type PoolConfig } from 'pg';

/** A connection attempt that takes longer gives its place in the pool to the next. */
const CONNECT_TIMEOUT_MS = 2_000;
/** The server's own bound, for when the client's end was not heard of: over every deadline that a caller gives. */
const STATEMENT_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1_000;

export type Query = Readonly<{ name: string; text: string; values: readonly string[] }>;

export type Connections = Readonly<{
  pool: Pool;
  /**
   * Runs one prepared statement. Rejects when the deadline is over, whatever the server does: its connection is
   * destroyed then. Waiting for a free connection counts.
   */
  run: (query: Query, timeoutMs: number) => Promise<void>;
  /** Waits for what is in flight, at most 1 s, and leaves no socket behind. */
  close: () => Promise<void>;
}>;

export type PoolSettings = Readonly<{ databaseUrl: string; poolSize: number }> & Pick<PoolConfig, 'query_timeout'>;

/** A pool of connections whose sockets are its own, so that it can be closed even when the server hangs. */
export function createConnections({ databaseUrl, poolSize, ...more }: PoolSettings): Connections {
  const sockets = new Set<Socket>();
  const pool = new Pool({
    ...more,
    connectionString: databaseUrl,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
    // Not as start-up parameters: poolers refuse these. Prisma's adapter reads every timestamptz as if it were UTC.
    onConnect: async (client) => {
      await client.query(`set statement_timeout = ${STATEMENT_TIMEOUT_MS}; set timezone = 'UTC'`);
    },
  });
  // A connection that dies while idle is taken out of the pool; the next statement opens another.
  pool.on('error', () => undefined);
  let closing: Promise<void> | undefined;
  return {
    pool,
    run: (query, timeoutMs) => runWithin(pool, query, timeoutMs),
    close: () => {
      closing ??= endPool(pool, sockets);
      return closing;
    },
  };
}

async function runWithin(pool: Pool, query: Query, timeoutMs: number): Promise<void> {
  let giveUp: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    giveUp = () => reject(new Error(`no answer within ${timeoutMs} ms`));
  });
  let destroy: (() => void) | undefined;
  let over = false;
  const timer = setTimeout(() => {
    over = true;
    giveUp?.();
    destroy?.();
  }, timeoutMs);
  const work = async (): Promise<void> => {
    const client = await pool.connect();
    let released = false;
    const release = (broken: boolean): void => {
      if (!released) client.release(broken);
      released = true;
    };
    if (over) return release(false);
    destroy = () => release(true);
    // Refusals of the server leave a connection usable; of one that was cut the pool knows by itself.
    await client.query({ ...query, values: [...query.values] }).finally(() => release(false));
  };
  const working = work();
  working.catch(() => undefined);
  try {
    await Promise.race([working, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function endPool(pool: Pool, sockets: ReadonlySet<Socket>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
  });
  await Promise.race([pool.end().catch(() => undefined), late]);
  clearTimeout(timer);
  for (const socket of sockets) socket.destroy();
}
