import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMirror } from '../../../src/mirror/mirror.ts';
import { migrate } from '../../../src/stack/migrations.ts';
import { withSchemaEngine } from '../../../src/stack/schema-engine.ts';
import { columnsOf, readSchemaFiles, type SchemaFiles } from '../../../src/stack/schema-files.ts';
import { cleanRun, flushOf, specOf } from '../../mirror/builds.ts';
import { type Databases, startDatabases } from './database-fixture.ts';
import { startWire } from './wire.ts';

const FILES = readSchemaFiles();
const INIT = FILES.migrations[0]?.name ?? '';
const silent = () => undefined;
const SOON = { timeoutMs: 20_000, log: silent };

let databases: Databases;
beforeAll(async () => {
  databases = startDatabases();
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
    expect(told).toEqual(
      FILES.migrations.flatMap(({ name }) => [`applying migration ${name}`, `applied migration ${name}`]),
    );
    expect(await tablesOf(url)).toEqual(expect.arrayContaining(['build_workflows', 'current_events']));
  });

  it('by several at once applies each migration once', async () => {
    const url = await databases.empty();
    const told: string[] = [];
    await Promise.all([1, 2, 3, 4].map(() => migrate(url, { ...SOON, log: (message) => told.push(message) })));
    expect(told.filter((line) => line.startsWith('applied'))).toHaveLength(FILES.migrations.length);
    const rows = await databases.query(url, 'select from _prisma_migrations');
    expect(rows).toHaveLength(FILES.migrations.length);
  });

  it('takes as long as a migration needs, and says which one', async () => {
    const told: string[] = [];
    const log = (message: string): void => void told.push(message);
    const files = withMigration('select pg_sleep(1.5)');
    await migrate(await databases.migrated(), { timeoutMs: 1_000, log, files });
    expect(told).toEqual(['applying migration 29990101000000_next', 'applied migration 29990101000000_next']);
  });

  it('waits for another that migrates until it is done, and says so', async () => {
    const url = await databases.empty();
    const holder = new Client({ connectionString: url });
    await holder.connect();
    await holder.query('select pg_advisory_lock(7126031955)');
    const told: string[] = [];
    const waiting = migrate(url, { timeoutMs: 1_000, log: (message) => void told.push(message) });
    await holder.query('select pg_sleep(1.5)');
    expect(told).toEqual(['waiting for another process, which is migrating this database']);
    await holder.end();
    await waiting;
    expect(await tablesOf(url)).toContain('build_workflows');
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

describe('events of before they knew their project', () => {
  it('know it afterwards', async () => {
    const url = await databases.empty();
    const at = FILES.migrations.findIndex(({ name }) => name.endsWith('_live_events'));
    for (const { sql } of FILES.migrations.slice(0, at)) await databases.query(url, sql);
    for (const [n, project] of ['shop', 'web'].entries()) {
      await databases.query(
        url,
        `insert into build_workflows (id, build_id, project_id, user_id, current_state, status, created_at, updated_at,
           workflow_metadata, branch, run_id, opened_at, last_seq)
         values ('w${n}', 'b${n}', '${project}', 'u', 'discovery', 'in_progress', now(), now(), '{}', 'r', 'r', now(), 1);
         insert into workflow_events (workflow_id, branch, seq, run_id, event_type, triggered_by, event_data, timestamp)
         values ('w${n}', 'r', 1, 'r', 'build_started', 'system', '{}', now())`,
      );
    }
    for (const { sql } of FILES.migrations.slice(at)) await databases.query(url, sql);
    const rows = await databases.query(url, 'select workflow_id, project_id from workflow_events order by id');
    expect(rows).toEqual([
      { workflow_id: 'w0', project_id: 'shop' },
      { workflow_id: 'w1', project_id: 'web' },
    ]);
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

/** The script with which Prisma's engine would make the tables of a schema. */
async function scriptOf(url: string, schema: string): Promise<string> {
  const { stdout } = await withSchemaEngine(url, schema, (engine) =>
    engine.diff({
      from: { tag: 'empty' },
      to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: schema }] },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    }),
  );
  return stdout ?? '';
}

/** All that Prisma's schema language can say of tables, as PostgreSQL tells it. Checks and views are beyond it. */
async function catalogOf(url: string): Promise<string[]> {
  const rows = await databases.query<{ line: string }>(
    url,
    `with ours as (
       select oid, relname from pg_class
       where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> '_prisma_migrations'
     )
     select concat_ws(' ', relname, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)) as line
     from ours join pg_attribute on attrelid = ours.oid and attnum > 0 and not attisdropped
     left join pg_attrdef on adrelid = ours.oid and adnum = attnum
     union all select pg_get_indexdef(indexrelid) from pg_index join ours on indrelid = ours.oid
     union all select concat_ws(' ', relname, conname, pg_get_constraintdef(c.oid))
     from pg_constraint c join ours on conrelid = ours.oid where contype in ('p', 'u', 'f')
     union all select typname || ': ' || string_agg(enumlabel, ', ' order by enumsortorder)
     from pg_enum join pg_type t on enumtypid = t.oid group by typname
     order by line`,
  );
  return rows.map(({ line }) => line);
}

describe('the schema', () => {
  it('in the migrations is the one in schema.prisma', async () => {
    const [made, migrated] = [await databases.empty(), await databases.migrated()];
    await databases.query(made, await scriptOf(made, FILES.schema));
    expect(await catalogOf(migrated)).toEqual(await catalogOf(made));
    const columns = await databases.query<{ at: string }>(
      migrated,
      `select table_name || '.' || column_name as at from information_schema.columns
       where table_schema = 'public' and table_name <> '_prisma_migrations'`,
    );
    expect(columns.map(({ at }) => at).sort()).toEqual(columnsOf(FILES.schema).sort());
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

  it('refuses audit rows of a build that does not exist, numbers under 1, and the removal of a build with an audit', async () => {
    const url = await databases.migrated();
    const columns = 'workflow_id, project_id, branch, seq, run_id, event_type, triggered_by, event_data, timestamp';
    const insert = (workflowId: string, seq: number) =>
      databases.query(
        url,
        `insert into workflow_events (${columns}) values ($1, 'p', 'run-1', $2, 'run-1', 'parked', 'system', '{}', now())`,
        [workflowId, seq],
      );
    await expect(insert('none', 1)).rejects.toMatchObject({ constraint: 'workflow_events_workflow_id_fkey' });
    const mirror = createMirror({ databaseUrl: url, poolSize: 1 });
    for (const step of cleanRun(specOf('a')).slice(0, 1)) await mirror.flush(flushOf(step), { timeoutMs: 5_000 });
    await mirror.close();
    await expect(insert('workflow-a', 0)).rejects.toMatchObject({ constraint: 'workflow_events_seq_check' });
    await expect(insert('workflow-a', 1)).rejects.toMatchObject({
      constraint: 'workflow_events_workflow_id_branch_seq_key',
    });
    await expect(databases.query(url, 'delete from build_workflows')).rejects.toMatchObject({ code: '23001' });
  });
});
