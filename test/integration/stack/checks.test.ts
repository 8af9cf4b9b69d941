import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { checkPostgres, withoutPassword } from '../../../src/stack/postgres-check.ts';
import { checkTemporal } from '../../../src/stack/temporal-check.ts';

const servers: Server[] = [];

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const nobody = async () => 1;
const silent = () => listen(createServer((socket) => socket.on('error', () => undefined)));
const nonsense = () => listen(createHttpServer((_, reply) => reply.end('hello')));
const TIMEOUT_MS = 700;

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.unref();
  }
});

const places: readonly [string, () => Promise<number>][] = [
  ['is not there', nobody],
  ['accepts and says nothing', silent],
  ['speaks another protocol', nonsense],
];

describe('a configured PostgreSQL', () => {
  it.each(places)('that %s is reported without its password, with the remedy', async (_, place) => {
    const url = `postgresql://someone:s3cret%21@127.0.0.1:${await place()}/mirror`;
    const failure = await checkPostgres(url, TIMEOUT_MS).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'postgres_unreachable',
      message: expect.stringContaining('someone@127.0.0.1'),
    });
    expect(failure).toMatchObject({ message: expect.stringContaining('unset it to have an embedded one') });
    expect(String(failure)).not.toMatch(/s3cret/);
  });

  it('whose address is no URL is reported without repeating it', () => {
    expect(withoutPassword('host=x password=s3cret')).toBe('(not a URL)');
  });
});

describe('a configured Temporal', () => {
  it.each(places)('that %s is reported with its address and the remedy', async (_, place) => {
    const address = `127.0.0.1:${await place()}`;
    await expect(checkTemporal(address, TIMEOUT_MS, { namespace: 'default' })).rejects.toMatchObject({
      code: 'temporal_unreachable',
      message: expect.stringMatching(new RegExp(`TEMPORAL_ADDRESS=${address}.*unset TEMPORAL_ADDRESS`)),
    });
  });
});
