import { Client } from 'pg';
import { AppError } from '../errors.ts';
import { describeDatabase, postgresReason } from '../mirror/database-url.ts';
import { within } from '../within.ts';
import { KEPT_ALIVE, type SchemaEngine, withSchemaEngine } from './schema-engine.ts';
import { readSchemaFiles, type SchemaFiles } from './schema-files.ts';
import { missingColumns, type SchemaState, schemaState } from './schema-state.ts';

export type MigrateOptions = Readonly<{
  /** For each answer that a working database gives at once. Migrations, and those of another process, take as long as they need. */
  timeoutMs: number;
  /** Told of each migration before and after it is applied, and of another process that is waited for. */
  log: (message: string) => void;
  /** What the database is to become. Default: the product's own schema. */
  files?: SchemaFiles;
}>;

/** Any number, the same in every version of the product. */
const LOCK_KEY = 7_126_031_955;

/**
 * Brings a database to this version's schema and checks it. Several processes may do so at once: one does the work.
 * A migration is applied whole or not at all, and one that a killed process left half recorded is settled.
 * @throws AppError `postgres_unreachable` when the database does not answer in time; `schema_mismatch` when it was
 * migrated by another version, a migration failed in it, or it lacks a table or column
 */
export async function migrate(databaseUrl: string, options: MigrateOptions): Promise<void> {
  const { timeoutMs, log, files = readSchemaFiles() } = options;
  const place = describeDatabase(databaseUrl);
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: timeoutMs, ...KEPT_ALIVE });
  // Its loss is seen by the statement that waits on it.
  client.on('error', () => undefined);
  const soon = <T>(answer: Promise<T>): Promise<T> => within(answer, timeoutMs);
  try {
    const state = await soon(client.connect().then(() => schemaState(client, files)));
    if (state.pending.length > 0 || problem(state))
      await applyPending({ databaseUrl, place, client, files, log, soon });
    const missing = await soon(missingColumns(client, files));
    if (missing.length > 0) throw mismatch(place, `lacks ${missing.slice(0, 5).join(', ')}`);
  } catch (error) {
    throw asAppError(error, place);
  } finally {
    // Not awaited: a server that hangs never says goodbye.
    client.end().catch(() => undefined);
  }
}

type Target = Readonly<{
  databaseUrl: string;
  place: string;
  client: Client;
  files: SchemaFiles;
  log: MigrateOptions['log'];
  /** Bounds what a working database answers at once. */
  soon: <T>(answer: Promise<T>) => Promise<T>;
}>;

async function applyPending({ databaseUrl, place, client, files, log, soon }: Target): Promise<void> {
  await lock(client, log, soon);
  const state = await soon(schemaState(client, files));
  const wrong = problem(state);
  if (wrong) throw mismatch(place, wrong);
  if (state.pending.length === 0) return;
  const complete = state.interrupted.length > 0 && (await soon(missingColumns(client, files))).length === 0;
  const settled = complete ? state.interrupted : [];
  await withSchemaEngine(databaseUrl, files.schema, async (engine) => {
    await settle(engine, files, state, complete);
    for (const name of state.pending.filter((pending) => !settled.includes(pending))) {
      log(`applying migration ${name}`);
      await engine.applyMigrations({ ...engineInput(upTo(files, name)), filters: NO_FILTERS });
      log(`applied migration ${name}`);
    }
  }).catch((error: unknown) => {
    throw engineError(error, place);
  });
}

/** Held by the connection: it is free again when this process ends, however it ends. */
async function lock(client: Client, log: Target['log'], soon: Target['soon']): Promise<void> {
  const attempt = client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [LOCK_KEY]);
  const { rows } = await soon(attempt);
  if (rows[0]?.held) return;
  log('waiting for another process, which is migrating this database');
  await client.query('select pg_advisory_lock($1)', [LOCK_KEY]);
}

/** The files as of one migration. The engine applies all it is given and says nothing meanwhile: so it is given one more at a time. */
const upTo = (files: SchemaFiles, name: string): SchemaFiles => ({
  ...files,
  migrations: files.migrations.slice(0, files.migrations.findIndex((one) => one.name === name) + 1),
});

const NO_FILTERS = { externalTables: [], externalEnums: [] };

/** The migrations as the schema engine wants them. */
const engineInput = ({ folder, lockfile, migrations }: SchemaFiles) => ({
  migrationsList: {
    baseDir: folder,
    lockfile: { path: 'migration_lock.toml', content: lockfile },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } },
    })),
  },
});

/**
 * A process was killed between beginning a migration and recording its end. The script is one transaction: either the
 * database has all of it, or none.
 */
async function settle(
  engine: SchemaEngine,
  files: SchemaFiles,
  { interrupted }: SchemaState,
  complete: boolean,
): Promise<void> {
  for (const migrationName of interrupted) {
    if (complete) await engine.markMigrationApplied({ migrationName, ...engineInput(files) });
    else await engine.markMigrationRolledBack({ migrationName });
  }
}

function problem({ unknown, edited, failed }: SchemaState): string | null {
  if (unknown.length > 0) return `was migrated by another version of the product (${unknown.join(', ')})`;
  if (failed.length > 0) return `refused the migration ${failed.join(', ')}`;
  if (edited.length > 0) return `has another script applied under the name ${edited.join(', ')}`;
  return null;
}

const mismatch = (place: string, what: string): AppError =>
  new AppError(
    'schema_mismatch',
    `The database at ${place} ${what}. Run the version of the product that migrated it, or set DATABASE_URL to an empty database.`,
  );

/** The engine tells its errors apart by their words alone. */
function engineError(error: unknown, place: string): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (/schema is not empty/i.test(message)) return mismatch(place, 'has tables of something else');
  const refusal = /ERROR: (.*)/.exec(message)?.[1];
  if (message.includes('apply_migration') && refusal) return mismatch(place, `refused a migration (${refusal})`);
  return error;
}

function asAppError(error: unknown, place: string): unknown {
  if (error instanceof AppError) return error;
  return new AppError(
    'postgres_unreachable',
    `PostgreSQL at ${place} cannot be used: ${postgresReason(error)}. Start it or correct DATABASE_URL.`,
  );
}
