import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Client as Database } from 'pg';
import { type Config, readConfig } from '../src/config.ts';
import { PAYLOAD_CONVERTER_PATH } from '../src/payload-converter-path.ts';
import { migrate } from '../src/stack/migrations.ts';
import { type Stack, startStack } from '../src/stack/stack.ts';
import { SEARCH_ATTRIBUTES } from '../src/workflows/messages.ts';
import type { ApiArgument, ApiReady } from './processes/api-server.ts';
import type { BuildWorkerArgument, BuildWorkerUsage } from './processes/build-worker.ts';
import { type Child, compileProcesses, startChild } from './processes/child.ts';
import type { FloorArgument } from './processes/floor-worker.ts';
import type { InstantModelReady } from './processes/instant-model.ts';
import type { Usage } from './processes/serve.ts';

const MIGRATE_TIMEOUT_MS = 30_000;

export const QUEUES = { floor: 'bench-floor', instant: 'bench-builds', real: 'bench-real' } as const;

export type Process = Child<unknown>;
export type Work = BuildWorkerArgument['work'];

/** One server, one database, and the processes that the bench compares on them. */
export type Setup = Readonly<{
  client: Client;
  /** A connection of the bench's own, for reading counters. */
  database: Database;
  stack: Stack;
  model: Child<InstantModelReady>;
  floor: Process;
  /** The worker under test now: the kill case replaces it. */
  builder(): Process;
  /** Kills the worker under test, as a crash would. */
  crashBuilder(): Promise<void>;
  restartBuilder(): Promise<void>;
  startWorker(queue: string, work: Work): Promise<Process>;
  /** An API whose builds the worker under test does. */
  startApi(): Promise<Child<ApiReady>>;
  /** Idempotent. */
  close(): Promise<void>;
}>;

export type SetupOptions = Readonly<{
  log: (line: string) => void;
  /** For the worker under test: to profile it. */
  nodeArguments: readonly string[];
}>;

/** The floor's worker and the model have no mirror whose statements could be counted. */
export const usageOf = (process: Process, settled = false): Promise<Usage & Partial<BuildWorkerUsage>> =>
  process.ask('usage', settled);

type Closer = () => Promise<unknown>;

async function closeAll(closers: readonly Closer[]): Promise<void> {
  for (const close of closers.toReversed()) {
    await close().catch((error: unknown) => console.error(`bench: cleaning up: ${String(error)}`));
  }
}

/** Starts everything in a temporary folder; what was started is stopped again when a part of it fails. */
export async function openSetup(options: SetupOptions): Promise<Setup> {
  const closers: Closer[] = [];
  try {
    return await open(options, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

function workerConfig(base: Config, dataDir: string, taskQueue: string): Config {
  const temporal = { ...base.temporal, address: null, namespace: 'default', taskQueue, apiKey: null, tls: null };
  const models = { ...base.models, fallbacks: [], providers: {} };
  return { ...base, dataDir, artifactsDir: join(dataDir, 'artifacts'), temporal, models };
}

async function open({ log, nodeArguments }: SetupOptions, closers: Closer[]): Promise<Setup> {
  const base = readConfig();
  const dataDir = await mkdtemp(join(tmpdir(), 'q-bench-'));
  closers.push(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const stack = await startStack({
    dataDir,
    cacheDir: base.cacheDir,
    temporalCli: base.temporal.cli ?? undefined,
    searchAttributes: SEARCH_ATTRIBUTES,
    log,
  });
  closers.push(stack.stop);
  await migrate(stack.databaseUrl, { timeoutMs: MIGRATE_TIMEOUT_MS, log });
  const { address } = stack.temporal;
  const database = new Database({ connectionString: stack.databaseUrl });
  // Lost when the server stops: the statements in flight say so.
  database.on('error', () => undefined);
  await database.connect();
  closers.push(() => database.end());
  const connection = await Connection.connect({ address, connectTimeout: 10_000 });
  closers.push(() => connection.close());
  const client = new Client({ connection, dataConverter: { payloadConverterPath: PAYLOAD_CONVERTER_PATH } });

  const keep = <T>(child: Child<T>): Child<T> => {
    closers.push(child.stop);
    return child;
  };
  const startWorker = async (queue: string, work: Work, extra: readonly string[] = []): Promise<Process> => {
    const config = workerConfig(base, join(dataDir, queue), queue);
    const argument: BuildWorkerArgument = { config, databaseUrl: stack.databaseUrl, temporalAddress: address, work };
    return keep(await startChild('build-worker', argument, { nodeArguments: extra }));
  };
  const startApi = async (): Promise<Child<ApiReady>> => {
    const own = workerConfig(base, join(dataDir, QUEUES.instant), QUEUES.instant);
    const config = { ...own, api: { ...own.api, host: '127.0.0.1', port: 0, keys: [] } };
    const argument: ApiArgument = { config, databaseUrl: stack.databaseUrl, temporalAddress: address };
    return keep(await startChild<ApiReady>('api-server', argument));
  };
  const floorArgument: FloorArgument = { temporalAddress: address, namespace: 'default', taskQueue: QUEUES.floor };
  await compileProcesses();
  const model = keep(await startChild<InstantModelReady>('instant-model', null));
  const floor = keep(await startChild('floor-worker', floorArgument));
  const startBuilder = (): Promise<Process> =>
    startWorker(QUEUES.instant, { kind: 'instant', modelBaseUrl: model.ready.baseUrl }, nodeArguments);
  let builder = await startBuilder();
  let closing: Promise<void> | undefined;
  return {
    client,
    database,
    stack,
    model,
    floor,
    builder: () => builder,
    crashBuilder: () => builder.kill(),
    restartBuilder: async () => {
      builder = await startBuilder();
    },
    startWorker,
    startApi,
    close: () => {
      closing ??= closeAll(closers);
      return closing;
    },
  };
}
