import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { choosePort, requireFreePort } from '../../src/stack/ports.ts';

const servers: Server[] = [];

function listen(host: string): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
    servers.push(server);
  });
}

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

describe('a port', () => {
  it('that is preferred and free is chosen', async () => {
    const free = await choosePort(0);
    expect(await choosePort(free)).toBe(free);
  });

  it('that may be any is chosen by its number, which a server can be told', async () => {
    expect(await choosePort(0)).toBeGreaterThan(0);
  });

  it.each(['127.0.0.1', '0.0.0.0'])('that another process listens on at %s is replaced by a free one', async (host) => {
    const taken = await listen(host);
    const chosen = await choosePort(taken);
    expect(chosen).not.toBe(taken);
    await requireFreePort(chosen, 'PORT');
  });

  it('that the user fixed and that is taken is refused with the setting, the port and the remedy', async () => {
    const taken = await listen('127.0.0.1');
    await expect(requireFreePort(taken, 'PORT')).rejects.toMatchObject({
      code: 'port_taken',
      message: `PORT=${taken}: another process already listens on 127.0.0.1:${taken}. Stop it, or set PORT to a free port.`,
    });
  });
});
