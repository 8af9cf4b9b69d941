import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { Client, Connection } from '@temporalio/client';
import { tempFolder } from '../../stack/temp-folder.ts';
import { layPreparedDatabase } from '../fixtures/prepared-database.ts';

/** The machine's own cache: building a Temporal server for each test would take minutes. */
export const CACHE_DIR = join(homedir(), '.cache', 'q-orchestrator');

export type HeldStack = Readonly<{
  process: ChildProcess;
  databaseUrl: string;
  address: string;
  servers: readonly number[];
  guardians: readonly number[];
}>;

/**
 * A stack in a process of its own, in a process group of its own.
 * @param program hold-stack.ts, compiled
 */
export async function holdStack(program: string, dataDir: string): Promise<HeldStack> {
  const child = spawn(process.execPath, [program, dataDir, CACHE_DIR], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', resolve);
    child.once('exit', (code) => reject(new Error(`the stack did not come up (${code}): ${errors}`)));
  });
  return { process: child, ...JSON.parse(line), guardians: guardiansOf(dataDir) };
}

/** A data directory as a stop in order left it: its database is there, which takes a new one most of its start to make. */
export async function usedDataDir(): Promise<string> {
  const dataDir = tempFolder();
  await layPreparedDatabase(dataDir);
  return dataDir;
}

type ServerRecord = Readonly<{ pid?: number; guardianPid?: number }>;

/** What this data directory records of its servers. */
function recordsOf(dataDir: string): readonly ServerRecord[] {
  return ['postgres', 'temporal'].flatMap((part): ServerRecord[] => {
    const record = join(dataDir, part, 'server.json');
    return existsSync(record) ? [JSON.parse(readFileSync(record, 'utf8'))] : [];
  });
}

/** The processes that watch the servers of this data directory. */
export const guardiansOf = (dataDir: string): number[] =>
  recordsOf(dataDir).flatMap(({ guardianPid }) => guardianPid ?? []);

/** The servers and their guardians that records of this data directory name. */
export const serversOf = (dataDir: string): number[] =>
  recordsOf(dataDir).flatMap(({ pid, guardianPid }) => [pid, guardianPid].filter((id) => id !== undefined));

/** Runs one statement and returns its rows. */
export async function sql(url: string, statement: string): Promise<unknown[][]> {
  const ignore = { onPoolError: () => undefined, onConnectionError: () => undefined };
  const adapter = await new PrismaPg({ connectionString: url, connectionTimeoutMillis: 5_000 }, ignore).connect();
  try {
    return (await adapter.queryRaw({ sql: statement, args: [], argTypes: [] })).rows;
  } finally {
    await adapter.dispose();
  }
}

/** Uses a client of the Temporal server for a moment. */
export async function withTemporal<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address, connectTimeout: 10_000 });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

/** Starts a workflow that no worker will ever run, so that it stays open. */
export async function openWorkflow(address: string, workflowId: string): Promise<void> {
  await withTemporal(address, ({ workflow }) => workflow.start('none', { taskQueue: 'none', workflowId }));
}

export async function workflowStatus(address: string, workflowId: string): Promise<string> {
  return await withTemporal(address, async ({ workflow }) => {
    const { status } = await workflow.getHandle(workflowId).describe();
    return status.name;
  });
}
