import { unlessAborted, within } from '../within.ts';
import { lockDataDir, prepareDataDir } from './data-dir.ts';
import { type EmbeddedPostgres, startPostgres } from './postgres.ts';
import { checkPostgres } from './postgres-check.ts';
import { findTemporalBinary } from './temporal-binary.ts';
import { checkTemporal, type TemporalAccess } from './temporal-check.ts';
import { type SearchAttributeType, startTemporalServer, type TemporalServer } from './temporal-server.ts';

export type StackSettings = Readonly<{
  dataDir: string;
  /** A configured PostgreSQL; without it one is embedded. */
  databaseUrl?: string | undefined;
  /** A configured Temporal server; without it one is embedded. */
  temporalAddress?: string | undefined;
  /** How the configured Temporal server is reached, and the namespace it must have. */
  temporalAccess?: TemporalAccess;
  temporalCli?: string | undefined;
  /** Where the Temporal binary is kept for all projects of this user. */
  cacheDir: string;
  searchAttributes: Readonly<Record<string, SearchAttributeType>>;
  /** Progress for people, one line at a time. */
  log: (line: string) => void;
  /** Gives up a start that is under way; of no meaning once it is done. */
  signal?: AbortSignal | undefined;
}>;

export type Stack = Readonly<{
  /** May hold a password: not for logs. */
  databaseUrl: string;
  temporal: Readonly<{ address: string; uiUrl: string | null }>;
  /** null for a part that is configured. The ids are those of now: a server that dies is started again. */
  embedded: Readonly<{ postgresPid: () => number | null; temporalPid: () => number | null }>;
  /** Stops what was started, in order, within the servers' deadlines. Idempotent. */
  stop: () => Promise<void>;
}>;

/** Ten seconds are promised to the user, start of the process included. */
const CHECK_TIMEOUT_MS = 5_000;
const ABANDON_TIMEOUT_MS = 5_000;

/**
 * Starts the parts that are not configured, both at once, and checks that the configured ones answer within 5 s. When
 * one fails, the other is stopped before this throws; one that takes longer than 5 s more to come up is stopped when it
 * does, and the lock is held until then. The embedded servers end when this process ends, also when it is killed.
 * @throws AppError `data_dir_unwritable`, `data_dir_locked`, `temporal_missing`, `temporal_unreachable`,
 * `postgres_unreachable`; the signal's reason when it aborts
 */
export async function startStack(settings: StackSettings): Promise<Stack> {
  const dataDir = prepareDataDir(settings.dataDir);
  const embedsAny = settings.databaseUrl === undefined || settings.temporalAddress === undefined;
  const unlock = embedsAny ? await lockDataDir(dataDir) : () => undefined;
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(settings.signal ? [settings.signal] : [])]);
  const postgres = postgresOf(settings, dataDir);
  const temporal = temporalOf({ ...settings, signal }, dataDir);
  try {
    return describe(await unlessAborted(both(postgres, temporal), signal), unlock);
  } catch (error) {
    // A server that is being built, for minutes, is not needed any more.
    failed.abort();
    await abandon([temporal, postgres], unlock);
    throw error;
  }
}

async function both(postgres: Promise<PostgresPart>, temporal: Promise<TemporalPart>): Promise<Parts> {
  const [postgresPart, temporalPart] = await Promise.all([postgres, temporal]);
  return { postgres: postgresPart, temporal: temporalPart };
}

// A part that did not fail is waited for, but not for long, and stopped when it comes up.
async function abandon(parts: readonly Promise<PostgresPart | TemporalPart>[], unlock: () => void): Promise<void> {
  const stops = parts.map((part) =>
    part.then(
      ({ server }) => server?.stop(),
      () => undefined,
    ),
  );
  const all = Promise.all(stops).finally(unlock);
  await within(all, ABANDON_TIMEOUT_MS).catch(() => undefined);
}

type PostgresPart = Readonly<{ url: string; server: EmbeddedPostgres | null }>;
type TemporalPart = Readonly<{ address: string; server: TemporalServer | null }>;
type Parts = Readonly<{ postgres: PostgresPart; temporal: TemporalPart }>;

async function postgresOf({ databaseUrl, log }: StackSettings, dataDir: string): Promise<PostgresPart> {
  if (databaseUrl !== undefined) {
    await checkPostgres(databaseUrl, CHECK_TIMEOUT_MS);
    return { url: databaseUrl, server: null };
  }
  const server = await startPostgres(dataDir);
  log(`PostgreSQL is up on port ${server.port}`);
  return { url: server.url, server };
}

async function temporalOf(settings: StackSettings, dataDir: string): Promise<TemporalPart> {
  const { temporalAddress, temporalAccess, temporalCli, cacheDir, searchAttributes, log, signal } = settings;
  if (temporalAddress !== undefined) {
    await checkTemporal(temporalAddress, CHECK_TIMEOUT_MS, temporalAccess);
    return { address: temporalAddress, server: null };
  }
  const binary = await findTemporalBinary({ temporalCli, cacheDir, log, signal });
  const server = await startTemporalServer({ dataDir, binary, searchAttributes });
  log(`Temporal is up on ${server.address}, its Web UI on ${server.uiUrl}`);
  return { address: server.address, server };
}

function describe({ postgres, temporal }: Parts, unlock: () => void): Stack {
  let stopped: Promise<void> | null = null;
  return {
    databaseUrl: postgres.url,
    temporal: { address: temporal.address, uiUrl: temporal.server?.uiUrl ?? null },
    embedded: {
      postgresPid: () => postgres.server?.pid() ?? null,
      temporalPid: () => temporal.server?.pid() ?? null,
    },
    stop: () => {
      // The engine first: it hands out the work whose rows the database takes.
      stopped ??= stopInOrder([temporal.server, postgres.server], unlock);
      return stopped;
    },
  };
}

async function stopInOrder(servers: readonly ({ stop: () => Promise<void> } | null)[], unlock: () => void) {
  try {
    for (const server of servers) await server?.stop();
  } finally {
    unlock();
  }
}
