import type { Client } from 'pg';
import { sqlState } from '../mirror/database-url.ts';
import { columnsOf, type SchemaFiles } from './schema-files.ts';

/** A row of `_prisma_migrations` that was not rolled back. */
type Recorded = Readonly<{ name: string; checksum: string; state: 'applied' | 'failed' | 'interrupted' }>;

/** How a database stands to the migrations of this version. */
export type SchemaState = Readonly<{
  /** Applied by another version of the product. */
  unknown: readonly string[];
  /** Applied, but the script was another one. */
  edited: readonly string[];
  /** Refused by the database. */
  failed: readonly string[];
  /** Begun by a process that ended before it could say how it went. */
  interrupted: readonly string[];
  pending: readonly string[];
}>;

async function recordedIn(client: Client): Promise<Recorded[]> {
  try {
    const { rows } = await client.query<Recorded>(`
      select migration_name as name, checksum,
        case when finished_at is not null then 'applied' when coalesce(logs, '') = '' then 'interrupted' else 'failed' end
        as state
      from _prisma_migrations where rolled_back_at is null order by started_at`);
    return rows;
  } catch (error) {
    if (sqlState(error) === UNDEFINED_TABLE) return [];
    throw error;
  }
}

const UNDEFINED_TABLE = '42P01';

export async function schemaState(client: Client, { migrations }: SchemaFiles): Promise<SchemaState> {
  const recorded = await recordedIn(client);
  const known = new Map(migrations.map(({ name, checksum }) => [name, checksum]));
  const named = (wanted: (row: Recorded) => boolean): string[] => recorded.filter(wanted).map(({ name }) => name);
  const applied = new Set(named(({ state }) => state === 'applied'));
  return {
    unknown: named(({ name }) => !known.has(name)),
    edited: named(
      ({ name, checksum, state }) => state === 'applied' && known.has(name) && known.get(name) !== checksum,
    ),
    failed: named(({ state }) => state === 'failed'),
    interrupted: named(({ state }) => state === 'interrupted'),
    pending: migrations.map(({ name }) => name).filter((name) => !applied.has(name)),
  };
}

/** Tables, views and columns of the schema that the database lacks, as `table.column`. */
export async function missingColumns(client: Client, { schema }: SchemaFiles): Promise<string[]> {
  const { rows } = await client.query<{ at: string }>(
    `select c.relname || '.' || a.attname as at from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v')`,
  );
  const present = new Set(rows.map(({ at }) => at));
  return columnsOf(schema).filter((column) => !present.has(column));
}
