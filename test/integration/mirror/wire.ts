import { connect, createServer, type Socket } from 'node:net';

export type Wire = Readonly<{
  /** The server's address through this wire. */
  url: string;
  /** Statements that the server was asked to execute. */
  executed: () => number;
  connections: () => number;
  /** From here on nothing that the server says gets through, and it is told nothing. */
  cut: () => void;
  /** New connections work again; those of before stay cut. */
  mend: () => void;
  stop: () => Promise<void>;
}>;

const SIMPLE_QUERY = 'Q'.charCodeAt(0);
const EXECUTE = 'E'.charCodeAt(0);

/** Counts the messages of PostgreSQL's protocol that execute something: a length follows each message's type. */
function executionCounter(): (chunk: Buffer) => number {
  let pending = Buffer.alloc(0);
  let started = false;
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    let executions = 0;
    for (;;) {
      // The first message, which starts the connection, has no type.
      const lengthAt = started ? 1 : 0;
      if (pending.length < lengthAt + 4) return executions;
      const end = lengthAt + pending.readInt32BE(lengthAt);
      if (pending.length < end) return executions;
      if (started && (pending[0] === SIMPLE_QUERY || pending[0] === EXECUTE)) executions += 1;
      started = true;
      pending = pending.subarray(end);
    }
  };
}

/** A wire to a PostgreSQL that can be listened to and cut, without the ends noticing. */
export async function startWire(databaseUrl: string): Promise<Wire> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let executed = 0;
  let isCut = false;
  const wire = createServer((near) => {
    if (isCut) {
      sockets.add(near.on('error', () => undefined).resume());
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    const count = executionCounter();
    near.on('data', (chunk) => {
      executed += count(chunk);
    });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve));
  const address = wire.address();
  const url = new URL(databaseUrl);
  url.port = String(typeof address === 'object' ? address?.port : '');
  return {
    url: url.href,
    executed: () => executed,
    connections: () => [...sockets].filter(({ destroyed }) => !destroyed).length,
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.unpipe().resume();
    },
    mend: () => {
      isCut = false;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => wire.close(() => resolve()));
    },
  };
}
