import { Client, type QueryResultRow } from 'pg';
import { createSharedDatabase, type SharedDatabase } from '../fixtures/shared-servers.ts';

export type Databases = Readonly<{
  /** A new, empty database. */
  empty: () => Promise<string>;
  /** A new database with the product's schema. */
  migrated: () => Promise<string>;
  query: <T extends QueryResultRow>(url: string, sql: string, values?: readonly unknown[]) => Promise<T[]>;
  stop: () => Promise<void>;
}>;

async function query<T extends QueryResultRow>(
  url: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** As many databases as a test file wants, in the server of the whole run. */
export function startDatabases(): Databases {
  const made: SharedDatabase[] = [];
  const make = async (content: 'empty' | 'migrated'): Promise<string> => {
    const database = await createSharedDatabase(content);
    made.push(database);
    return database.url;
  };
  return {
    empty: () => make('empty'),
    migrated: () => make('migrated'),
    query,
    stop: async () => {
      for (const database of made.splice(0)) await database.drop();
    },
  };
}
