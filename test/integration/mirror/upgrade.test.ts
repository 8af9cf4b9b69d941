import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMirror } from '../../../src/mirror/mirror.ts';
import { migrate } from '../../../src/stack/migrations.ts';
import { readSchemaFiles } from '../../../src/stack/schema-files.ts';
import { type Databases, startDatabases } from './database-fixture.ts';
import { randomBuilds } from './random-builds.ts';

const SOON = { timeoutMs: 20_000, log: () => undefined };
/** In the order in which their foreign keys let them be filled. */
const TABLES = ['build_workflows', 'build_branches', 'workflow_handoffs', 'workflow_events'];

let databases: Databases;
beforeAll(async () => {
  databases = startDatabases();
});
afterAll(() => databases.stop());

const rowsOf = async (url: string, table: string, order: string): Promise<unknown[]> => {
  const rows = await databases.query<{ row: unknown }>(
    url,
    `select to_jsonb(t) as row from ${table} t order by ${order}`,
  );
  return rows.map(({ row }) => row);
};

/** Puts the rows of one database into another whose tables have fewer columns. */
async function copyRows(from: string, to: string, table: string): Promise<void> {
  const columns = await databases.query<{ name: string }>(
    to,
    'select column_name as name from information_schema.columns where table_name = $1',
    [table],
  );
  const names = columns.map(({ name }) => name).join(', ');
  await databases.query(
    to,
    `insert into ${table} (${names}) select ${names} from jsonb_populate_recordset(null::${table}, $1)`,
    [JSON.stringify(await rowsOf(from, table, '1'))],
  );
}

describe('a database of the first version, with builds', () => {
  it('has after the migration what the builds would have written into it', async () => {
    const [written, upgraded] = [await databases.migrated(), await databases.empty()];
    const mirror = createMirror({ databaseUrl: written, poolSize: 4 });
    for (const { flushes } of randomBuilds(300)) for (const flush of flushes) await mirror.flush(flush, SOON);
    await mirror.close();
    const files = readSchemaFiles();
    const first = { ...files, migrations: files.migrations.slice(0, 1) };
    await expect(migrate(upgraded, { ...SOON, files: first })).rejects.toMatchObject({ code: 'schema_mismatch' });
    for (const table of TABLES) await copyRows(written, upgraded, table);
    await migrate(upgraded, SOON);
    expect(await rowsOf(upgraded, 'build_workflows', 'id')).toEqual(await rowsOf(written, 'build_workflows', 'id'));
    expect(await rowsOf(upgraded, 'workflow_events', 'id')).toEqual(await rowsOf(written, 'workflow_events', 'id'));
    const isUsed = 'project_figures where error_builds + complete_builds + cancelled_builds > 0';
    const count = (url: string) => rowsOf(url, `(select * from ${isUsed})`, 'project_id, shard');
    expect(await count(upgraded)).toEqual(await count(written));
    expect((await count(upgraded)).length).toBeGreaterThan(30);
  });
});
