import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineInput, migrate } from '../../../src/stack/migrations.ts';
import { withSchemaEngine } from '../../../src/stack/schema-engine.ts';
import { readSchemaFiles, type SchemaFiles } from '../../../src/stack/schema-files.ts';
import { type Databases, startDatabases } from './database-fixture.ts';
import { startWire } from './wire.ts';

const FILES = readSchemaFiles();
const INIT = FILES.migrations[0]?.name ?? '';
const silent = () => undefined;
const SOON = { timeoutMs: 20_000, log: silent };

let databases: Databases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases.stop());

const withMigration = (sql: string): SchemaFiles => ({
  ...FILES,
  migrations: [...FILES.migrations, { name: '29990101000000_next', sql, checksum: 'of the next' }],
});
const tablesOf = async (url: string): Promise<string[]> => {
  const rows = await databases.query<{ name: string }>(
    url,
    "select table_name as name from information_schema.tables where table_schema = 'public' order by 1",
  );
  return rows.map(({ name }) => name);
};
const mismatch = (words: string) => ({ code: 'schema_mismatch', message: expect.stringContaining(words) });
const unreachable = (words: string) => ({ code: 'postgres_unreachable', message: expect.stringContaining(words) });

describe('migrating', () => {
  it('makes the schema in an empty database, and changes nothing the second time', async () => {
    const url = await databases.empty();
    const told: string[] = [];
    await migrate(url, { ...SOON, log: (message) => told.push(message) });
    await migrate(url, { ...SOON, log: (message) => told.push(message) });
    expect(told).toEqual(FILES.migrations.map(({ name }) => `applied migration ${name}`));
    expect(await tablesOf(url)).toEqual(expect.arrayContaining(['build_workflows', 'current_events']));
  });

  it('by several at once applies each migration once', async () => {
    const url = await databases.empty();
    const told: string[] = [];
    await Promise.all([1, 2, 3, 4].map(() => migrate(url, { ...SOON, log: (message) => told.push(message) })));
    expect(told).toHaveLength(FILES.migrations.length);
    const rows = await databases.query(url, 'select from _prisma_migrations');
    expect(rows).toHaveLength(FILES.migrations.length);
  });

  it('waits for another that migrates no longer than its deadline', async () => {
    const url = await databases.empty();
    const holder = databases.query(url, 'select pg_advisory_lock(7126031955), pg_sleep(2)');
    await expect.poll(() => databases.query(url, "select from pg_locks where locktype = 'advisory'")).toHaveLength(1);
    const waiting = migrate(url, { timeoutMs: 300, log: silent });
    await expect(waiting).rejects.toMatchObject(unreachable('cannot be used'));
    await holder;
    expect(await tablesOf(url)).toEqual([]);
  });

  it('applies a migration whole or not at all, and names the refusal', async () => {
    const url = await databases.migrated();
    const files = withMigration('create table half (); select 1/0; create table whole ();');
    await expect(migrate(url, { ...SOON, files })).rejects.toMatchObject(mismatch('division by zero'));
    expect(await tablesOf(url)).not.toContain('half');
    await expect(migrate(url, { ...SOON, files })).rejects.toMatchObject(mismatch('refused the migration 2999'));
  });

  it('takes a semicolon in a text or a comment for what it is', async () => {
    const url = await databases.migrated();
    await migrate(url, {
      ...SOON,
      files: withMigration("create table noted (); comment on table noted is 'a;b'; -- c;d"),
    });
    expect(await tablesOf(url)).toContain('noted');
  });

  it('goes on after a process was killed before a migration was done', async () => {
    const url = await databases.migrated();
    const [row] = await databases.query(url, 'select * from _prisma_migrations');
    const killed = await databases.empty();
    await databases.query(
      killed,
      `create table _prisma_migrations (id varchar(36) primary key, checksum varchar(64) not null, finished_at timestamptz,
       migration_name varchar(255) not null, logs text, rolled_back_at timestamptz,
       started_at timestamptz not null default now(), applied_steps_count int not null default 0)`,
    );
    await databases.query(killed, 'insert into _prisma_migrations (id, checksum, migration_name) values ($1, $2, $3)', [
      row?.id,
      row?.checksum,
      INIT,
    ]);
    await migrate(killed, SOON);
    expect(await tablesOf(killed)).toEqual(await tablesOf(url));
  });

  it('goes on after a process was killed before it recorded a migration that was done', async () => {
    const url = await databases.migrated();
    await databases.query(url, 'update _prisma_migrations set finished_at = null, applied_steps_count = 0');
    await migrate(url, SOON);
    const done = await databases.query(url, 'select from _prisma_migrations where finished_at is not null');
    expect(done).toHaveLength(FILES.migrations.length);
  });
});

describe('a database that does not fit', () => {
  it('was migrated by a newer version', async () => {
    const url = await databases.empty();
    await migrate(url, { ...SOON, files: withMigration('create table next ();') });
    await expect(migrate(url, SOON)).rejects.toMatchObject(
      mismatch('another version of the product (29990101000000_next)'),
    );
  });

  it('had another script applied under the same name', async () => {
    const url = await databases.migrated();
    await databases.query(url, "update _prisma_migrations set checksum = 'other'");
    await expect(migrate(url, SOON)).rejects.toMatchObject(mismatch(`another script applied under the name ${INIT}`));
  });

  it('lacks a column', async () => {
    const url = await databases.migrated();
    await databases.query(url, 'alter table workflow_model_calls drop column provider');
    await expect(migrate(url, SOON)).rejects.toMatchObject(mismatch('lacks workflow_model_calls.provider'));
  });

  it('lacks a view', async () => {
    const url = await databases.migrated();
    await databases.query(url, 'drop view current_handoffs');
    await expect(migrate(url, SOON)).rejects.toMatchObject(mismatch('lacks current_handoffs.id'));
  });

  it('has tables of something else', async () => {
    const url = await databases.empty();
    await databases.query(url, 'create table customers (id int)');
    await expect(migrate(url, SOON)).rejects.toMatchObject(mismatch('has tables of something else'));
    expect(await tablesOf(url)).toEqual(['customers']);
  });
});

describe('a database that does not answer', () => {
  it('is named without its password when nobody listens', async () => {
    const failure = await migrate('postgresql://me:s3cret-word@127.0.0.1:1/builds', SOON).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject(unreachable('127.0.0.1:1/builds cannot be used: ECONNREFUSED'));
    expect(String(failure)).not.toContain('s3cret-word');
  });

  it('is named without its password when it refuses the password', async () => {
    const url = new URL(await databases.empty());
    url.password = 's3cret-word';
    const failure = await migrate(url.href, SOON).catch((error: unknown) => error);
    expect(failure).toMatchObject(unreachable('28P01'));
    expect(String(failure)).not.toContain('s3cret-word');
  });

  it('is given up at the deadline when it hangs', async () => {
    const wire = await startWire(await databases.empty());
    wire.cut();
    await expect(migrate(wire.url, { timeoutMs: 200, log: silent })).rejects.toMatchObject(
      unreachable('cannot be used'),
    );
    await wire.stop();
  });
});

describe('the schema', () => {
  it('in the migrations is the one in schema.prisma', async () => {
    const url = await databases.empty();
    const { stdout } = await withSchemaEngine(url, FILES.schema, (engine) =>
      engine.diff({
        from: { tag: 'migrations', ...engineInput(FILES).migrationsList },
        to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: FILES.schema }] },
        script: true,
        exitCode: null,
        filters: { externalTables: [], externalEnums: [] },
      }),
    );
    expect(stdout?.trim()).toBe('-- This is an empty migration.');
  });

  it('holds the keys, checks and indexes of the contract, all named', async () => {
    const url = await databases.migrated();
    const constraints = await databases.query<{ name: string }>(
      url,
      `select conname as name from pg_constraint where connamespace = 'public'::regnamespace and contype in ('f', 'c')`,
    );
    expect(constraints.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'workflow_events_workflow_id_fkey',
        'workflow_handoffs_workflow_id_fkey',
        'workflow_events_seq_check',
        'workflow_handoffs_seq_check',
      ]),
    );
    const indexes = await databases.query<{ definition: string }>(
      url,
      `select case when indisunique then 'unique ' else '' end || indrelid::regclass || ' ' ||
         (select string_agg(attname, ', ' order by attnum) from pg_attribute where attrelid = indexrelid) as definition
       from pg_index where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)`,
    );
    expect(indexes.map(({ definition }) => definition)).toEqual(
      expect.arrayContaining([
        'unique build_workflows build_id',
        'build_workflows project_id',
        'build_workflows user_id',
        'build_workflows current_state',
        'build_workflows created_at',
        'unique workflow_events workflow_id, branch, seq',
        'workflow_events workflow_id',
        'workflow_events event_type',
        'workflow_events timestamp',
        'unique workflow_handoffs workflow_id, branch, seq',
        'workflow_handoffs workflow_id',
        'workflow_handoffs from_role, to_role',
        'workflow_handoffs timestamp',
      ]),
    );
  });

  it('refuses an audit row of a build that does not exist, and the removal of a build that has an audit', async () => {
    const url = await databases.migrated();
    const row = "'b', 1, 'r', 'parked', 'system', '{}', now()";
    const columns = 'workflow_id, branch, seq, run_id, event_type, triggered_by, event_data, timestamp';
    await expect(
      databases.query(url, `insert into workflow_events (${columns}) values ('none', ${row})`),
    ).rejects.toMatchObject({ constraint: 'workflow_events_workflow_id_fkey' });
  });
});
