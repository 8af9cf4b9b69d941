import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { accepts } from '../../../src/stack/ports.ts';
import { isAlive } from '../../../src/stack/process-identity.mjs';
import { type Stack, type StackSettings, startStack } from '../../../src/stack/stack.ts';
import { type CompiledProgram, compileProgram } from '../../compiled-program.ts';
import { eventually } from '../../eventually.ts';
import { tempFolder } from '../../stack/temp-folder.ts';
import {
  CACHE_DIR,
  guardiansOf,
  type HeldStack,
  holdStack,
  openWorkflow,
  sql,
  usedDataDir,
  withTemporal,
  workflowStatus,
} from './probes.ts';

/** Of Temporal, its Web UI, PostgreSQL. */
const USUAL_PORTS = [7233, 8233, 54329];

let program: CompiledProgram;
const stacks: Stack[] = [];
const held: HeldStack[] = [];

async function start(dataDir: string, more: Partial<StackSettings> = {}): Promise<Stack> {
  const searchAttributes = { BuildState: 'Keyword', BuildNeedsOperator: 'Bool' } as const;
  const stack = await startStack({ dataDir, cacheDir: CACHE_DIR, searchAttributes, log: () => undefined, ...more });
  stacks.push(stack);
  return stack;
}

/** Listens on the ports that the servers take when they are free; gives what ends that. One that is taken already is as good. */
function takeUsualPorts(): () => void {
  const servers = USUAL_PORTS.map((port) =>
    createServer()
      .on('error', () => undefined)
      .listen(port, '127.0.0.1'),
  );
  return () => {
    for (const server of servers) server.close();
  };
}

async function hold(dataDir: string): Promise<HeldStack> {
  const stack = await holdStack(program.path, dataDir);
  held.push(stack);
  return stack;
}

const serversOf = ({ embedded }: Stack): number[] => [embedded.postgresPid() ?? 0, embedded.temporalPid() ?? 0];
const allGone = (pids: readonly number[]) => eventually(() => expect(pids.filter(isAlive)).toEqual([]));

function kill(pids: readonly (number | undefined)[]): void {
  for (const pid of pids) if (pid !== undefined) process.kill(pid, 'SIGKILL');
}

/** Traces of the n-th run, beside those of the runs before. */
async function leaveTraces(databaseUrl: string, address: string, n = 1): Promise<void> {
  await sql(databaseUrl, 'create table if not exists kept (value int)');
  await sql(databaseUrl, `insert into kept values (${n})`);
  await openWorkflow(address, `kept-${n}`);
}

async function expectTraces(databaseUrl: string, address: string, n = 1): Promise<void> {
  const runs = Array.from({ length: n }, (_, index) => index + 1);
  expect(await sql(databaseUrl, 'select value from kept order by value')).toEqual(runs.map((run) => [run]));
  for (const run of runs) expect(await workflowStatus(address, `kept-${run}`)).toBe('RUNNING');
}

beforeAll(async () => {
  program = await compileProgram(new URL('hold-stack.ts', import.meta.url));
});
afterAll(() => program?.remove());
afterEach(async () => {
  for (const stack of stacks.splice(0)) await stack.stop();
  for (const stack of held.splice(0)) {
    const pids = [stack.process.pid ?? 0, ...stack.guardians, ...stack.servers];
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await allGone(pids);
  }
});

describe('the embedded stack', () => {
  it('starts both servers with their settings, on ports that are free, keeps their state under DATA_DIR, and leaves nothing running', async () => {
    const dataDir = tempFolder();
    const freeUsualPorts = takeUsualPorts();
    const stack = await start(dataDir).finally(freeUsualPorts);
    const pids = [...serversOf(stack), ...guardiansOf(dataDir)];
    await leaveTraces(stack.databaseUrl, stack.temporal.address);
    const uiPort = Number(new URL(stack.temporal.uiUrl ?? '').port);
    const chosen = [Number(stack.temporal.address.split(':')[1]), uiPort, Number(new URL(stack.databaseUrl).port)];
    expect(chosen.filter((port) => USUAL_PORTS.includes(port))).toEqual([]);
    expect(await accepts(uiPort, '127.0.0.1')).toBe(true);
    await withTemporal(stack.temporal.address, async ({ connection }) => {
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
      expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(['BuildState', 'BuildNeedsOperator']));
      const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
      expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 3600);
    });
    await Promise.all([stack.stop(), stack.stop()]);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(join(dataDir, 'stack.lock'))).toBe(false);

    // As a killed server leaves it, whose process id belongs to another program by now.
    const pidFile = join(dataDir, 'postgres', 'data', 'postmaster.pid');
    writeFileSync(pidFile, `${process.pid}\n/x\n0\n54329\n\n127.0.0.1\n`);
    const again = await start(dataDir);
    await expectTraces(again.databaseUrl, again.temporal.address);
    expect(new URL(again.databaseUrl).port).toBe(new URL(stack.databaseUrl).port);
  });

  it('however its parent was killed, is started again with the same state, and nothing of the old one runs', async () => {
    const dataDir = await usedDataDir();
    let last = await hold(dataDir);
    let runs = 1;
    await leaveTraces(last.databaseUrl, last.address, runs);
    const next = async (): Promise<void> => {
      const { servers } = last;
      last = await hold(dataDir);
      expect(servers.filter(isAlive)).toEqual([]);
      await expectTraces(last.databaseUrl, last.address, runs);
      runs += 1;
      await leaveTraces(last.databaseUrl, last.address, runs);
    };

    // The parent alone: all ends by itself.
    kill([last.process.pid]);
    await allGone([...last.servers, ...last.guardians]);
    await next();
    // The next start comes in that very moment.
    kill([last.process.pid]);
    await next();
    // Nobody guards the servers any more: the next start stops them.
    kill([last.process.pid, ...last.guardians]);
    await allGone([last.process.pid ?? 0, ...last.guardians]);
    expect(last.servers.filter(isAlive)).toEqual(last.servers);
    await next();
    // Everything at once.
    kill([last.process.pid, ...last.guardians, ...last.servers]);
    await next();
  });

  it('starts a server again that was killed, on the same port with the same state', async () => {
    const dataDir = await usedDataDir();
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
    const dataDir = await usedDataDir();
    const stack = await start(dataDir);
    const guardians = guardiansOf(dataDir);
    kill(guardians);
    await allGone(guardians);
    const servers = serversOf(stack);
    expect(servers.filter(isAlive)).toEqual(servers);
    await stack.stop();
    expect(servers.filter(isAlive)).toEqual([]);
  });

  it('is refused to a second process on the same DATA_DIR, and the first is not harmed; a Ctrl-C that its whole process group hears stops it in order', async () => {
    const dataDir = await usedDataDir();
    const stack = await hold(dataDir);
    await expect(start(dataDir)).rejects.toMatchObject({
      code: 'data_dir_locked',
      message: expect.stringContaining(`process ${stack.process.pid}`),
    });
    expect(await sql(stack.databaseUrl, 'select 1')).toEqual([[1]]);

    const ended = once(stack.process, 'exit');
    process.kill(-(stack.process.pid ?? 0), 'SIGINT');
    expect(await ended).toEqual([0, null]);
    expect([...stack.servers, ...stack.guardians].filter(isAlive)).toEqual([]);
    expect(readFileSync(join(dataDir, 'postgres', 'server.log'), 'utf8')).toContain('database system is shut down');
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
    const dataDir = await usedDataDir();
    await expect(start(dataDir, settings)).rejects.toMatchObject({ code });
    // A server that takes long to come up on a busy machine is stopped when it does; the lock is given back last.
    await eventually(() => expect(existsSync(join(dataDir, 'stack.lock'))).toBe(false));
    expect(existsSync(join(dataDir, 'postgres', 'server.json'))).toBe(false);
    expect(existsSync(join(dataDir, 'temporal', 'server.json'))).toBe(false);
  });
});
