import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { accepts } from '../../../src/stack/ports.ts';
import { isAlive } from '../../../src/stack/process-identity.mjs';
import { type Stack, type StackSettings, startStack } from '../../../src/stack/stack.ts';
import { eventually } from '../../eventually.ts';
import { tempFolder } from '../../stack/temp-folder.ts';
import {
  CACHE_DIR,
  guardiansOf,
  type HeldStack,
  holdStack,
  openWorkflow,
  sql,
  withTemporal,
  workflowStatus,
} from './probes.ts';

const stacks: Stack[] = [];
const held: HeldStack[] = [];

async function start(dataDir: string, more: Partial<StackSettings> = {}): Promise<Stack> {
  const searchAttributes = { BuildState: 'Keyword', BuildNeedsOperator: 'Bool' } as const;
  const stack = await startStack({ dataDir, cacheDir: CACHE_DIR, searchAttributes, log: () => undefined, ...more });
  stacks.push(stack);
  return stack;
}

async function hold(dataDir: string): Promise<HeldStack> {
  const stack = await holdStack(dataDir);
  held.push(stack);
  return stack;
}

const serversOf = ({ embedded }: Stack): number[] => [embedded.postgresPid() ?? 0, embedded.temporalPid() ?? 0];
const allGone = (pids: readonly number[]) => eventually(() => expect(pids.filter(isAlive)).toEqual([]));

function kill(pids: readonly (number | undefined)[]): void {
  for (const pid of pids) if (pid !== undefined) process.kill(pid, 'SIGKILL');
}

async function leaveTraces(databaseUrl: string, address: string): Promise<void> {
  await sql(databaseUrl, 'create table kept (value int)');
  await sql(databaseUrl, 'insert into kept values (7)');
  await openWorkflow(address, 'kept');
}

async function expectTraces(databaseUrl: string, address: string): Promise<void> {
  expect(await sql(databaseUrl, 'select value from kept')).toEqual([[7]]);
  expect(await workflowStatus(address, 'kept')).toBe('RUNNING');
}

afterEach(async () => {
  for (const stack of stacks.splice(0)) await stack.stop();
  for (const stack of held.splice(0)) {
    const pids = [stack.process.pid ?? 0, ...stack.guardians, ...stack.servers];
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await allGone(pids);
  }
});

describe('the embedded stack', () => {
  it('starts both servers with their settings, keeps their state under DATA_DIR, and leaves nothing running', async () => {
    const dataDir = tempFolder();
    const stack = await start(dataDir);
    const pids = [...serversOf(stack), ...guardiansOf(dataDir)];
    await leaveTraces(stack.databaseUrl, stack.temporal.address);
    expect(await accepts(Number(new URL(stack.temporal.uiUrl ?? '').port), '127.0.0.1')).toBe(true);
    await withTemporal(stack.temporal.address, async ({ connection }) => {
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
      expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(['BuildState', 'BuildNeedsOperator']));
      const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
      expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 3600);
    });
    await Promise.all([stack.stop(), stack.stop()]);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(join(dataDir, 'stack.lock'))).toBe(false);

    const again = await start(dataDir);
    await expectTraces(again.databaseUrl, again.temporal.address);
    expect(new URL(again.databaseUrl).port).toBe(new URL(stack.databaseUrl).port);
  });

  it('ends by itself when its parent is killed, and a second start goes on with the same state', async () => {
    const dataDir = tempFolder();
    const first = await hold(dataDir);
    await leaveTraces(first.databaseUrl, first.address);
    kill([first.process.pid]);
    await allGone([...first.servers, ...first.guardians]);
    const second = await start(dataDir);
    await expectTraces(second.databaseUrl, second.temporal.address);
  });

  it('can be started again in the very moment its parent was killed', async () => {
    const dataDir = tempFolder();
    const first = await hold(dataDir);
    await leaveTraces(first.databaseUrl, first.address);
    kill([first.process.pid]);
    const second = await start(dataDir);
    await expectTraces(second.databaseUrl, second.temporal.address);
    expect(first.servers.filter(isAlive)).toEqual([]);
  });

  it('stops servers that nobody guards any more before it starts its own', async () => {
    const dataDir = tempFolder();
    const first = await hold(dataDir);
    await leaveTraces(first.databaseUrl, first.address);
    kill([first.process.pid, ...first.guardians]);
    await allGone([first.process.pid ?? 0, ...first.guardians]);
    expect(first.servers.filter(isAlive)).toEqual(first.servers);
    const second = await start(dataDir);
    expect(first.servers.filter(isAlive)).toEqual([]);
    await expectTraces(second.databaseUrl, second.temporal.address);
  });

  it('loses nothing when everything is killed at once', async () => {
    const dataDir = tempFolder();
    const first = await hold(dataDir);
    await leaveTraces(first.databaseUrl, first.address);
    kill([first.process.pid, ...first.guardians, ...first.servers]);
    const second = await start(dataDir);
    await expectTraces(second.databaseUrl, second.temporal.address);
  });

  it('starts a server again that was killed, on the same port with the same state', async () => {
    const dataDir = tempFolder();
    const stack = await start(dataDir);
    await leaveTraces(stack.databaseUrl, stack.temporal.address);
    const before = serversOf(stack);
    kill(before);
    await eventually(() => expectTraces(stack.databaseUrl, stack.temporal.address));
    expect(serversOf(stack)).not.toEqual(before);
    const after = serversOf(stack);
    await stack.stop();
    expect(after.filter(isAlive)).toEqual([]);
  });

  it('stops its servers also when their guardians were killed', async () => {
    const dataDir = tempFolder();
    const stack = await start(dataDir);
    const guardians = guardiansOf(dataDir);
    kill(guardians);
    await allGone(guardians);
    const servers = serversOf(stack);
    expect(servers.filter(isAlive)).toEqual(servers);
    await stack.stop();
    expect(servers.filter(isAlive)).toEqual([]);
  });

  it('is stopped in order by a Ctrl-C that the whole process group of its parent hears', async () => {
    const dataDir = tempFolder();
    const stack = await hold(dataDir);
    const ended = once(stack.process, 'exit');
    process.kill(-(stack.process.pid ?? 0), 'SIGINT');
    expect(await ended).toEqual([0, null]);
    expect([...stack.servers, ...stack.guardians].filter(isAlive)).toEqual([]);
    expect(readFileSync(join(dataDir, 'postgres', 'server.log'), 'utf8')).toContain('database system is shut down');
  });

  it('is refused to a second process on the same DATA_DIR, and the first is not harmed', async () => {
    const dataDir = tempFolder();
    const first = await hold(dataDir);
    await expect(start(dataDir)).rejects.toMatchObject({
      code: 'data_dir_locked',
      message: expect.stringContaining(`process ${first.process.pid}`),
    });
    expect(await sql(first.databaseUrl, 'select 1')).toEqual([[1]]);
  });

  it('takes other ports when the usual ones are taken', async () => {
    const ports = [7233, 8233, 54329];
    const blockers = ports.map((port) =>
      createServer()
        .on('error', () => undefined)
        .listen(port, '127.0.0.1'),
    );
    try {
      const stack = await start(tempFolder());
      const chosen = [stack.temporal.address.split(':')[1], new URL(stack.temporal.uiUrl ?? '').port];
      chosen.push(new URL(stack.databaseUrl).port);
      expect(chosen.filter((port) => ports.includes(Number(port)))).toEqual([]);
      await leaveTraces(stack.databaseUrl, stack.temporal.address);
    } finally {
      for (const blocker of blockers) blocker.close();
    }
  });

  it('starts when the process id in an old pid file of PostgreSQL belongs to another program by now', async () => {
    const dataDir = tempFolder();
    await (await start(dataDir)).stop();
    writeFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), `${process.pid}\n/x\n0\n54329\n\n127.0.0.1\n`);
    const stack = await start(dataDir);
    expect(await sql(stack.databaseUrl, 'select 1')).toEqual([[1]]);
  });
});

describe('a stack that cannot start', () => {
  it.each([
    [
      'a PostgreSQL that nobody answers for',
      { databaseUrl: 'postgresql://u:secret@127.0.0.1:1/db' },
      'postgres_unreachable',
    ],
    ['a Temporal that nobody answers for', { temporalAddress: '127.0.0.1:1' }, 'temporal_unreachable'],
    ['a TEMPORAL_CLI that is none', { temporalCli: '/missing/temporal' }, 'temporal_missing'],
  ])('because of %s leaves neither a server nor a lock', async (_, settings, code) => {
    const dataDir = tempFolder();
    await expect(start(dataDir, settings)).rejects.toMatchObject({ code });
    // A server that takes long to come up on a busy machine is stopped when it does; the lock is given back last.
    await eventually(() => expect(existsSync(join(dataDir, 'stack.lock'))).toBe(false));
    expect(existsSync(join(dataDir, 'postgres', 'server.json'))).toBe(false);
    expect(existsSync(join(dataDir, 'temporal', 'server.json'))).toBe(false);
  });
});
