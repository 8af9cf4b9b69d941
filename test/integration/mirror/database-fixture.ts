import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import { migrate } from '../../../src/stack/migrations.ts';
import { startPostgres } from '../../../src/stack/postgres.ts';

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

/** A real PostgreSQL with as many databases as a test file wants. */
export async function startDatabases(): Promise<Databases> {
  const folder = mkdtempSync(join(tmpdir(), 'mirror-'));
  const server = await startPostgres(folder);
  const empty = async (): Promise<string> => {
    const name = `test_${randomUUID().replaceAll('-', '')}`;
    await query(server.url, `create database ${name}`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return url.href;
  };
  return {
    empty,
    migrated: async () => {
      const url = await empty();
      await migrate(url, { timeoutMs: 20_000, log: () => undefined });
      return url;
    },
    query,
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
