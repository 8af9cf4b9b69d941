import fc from 'fast-check';
import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApi, startApi } from '../../src/compose/api.ts';
import { readConfig } from '../../src/config.ts';
import { flushDocument } from '../../src/mirror/flush-document.ts';
import { FLUSH_STATEMENT } from '../../src/mirror/flush-statement.ts';
import { storableJson } from '../../src/mirror/storable-json.ts';
import { readEvents } from '../api/event-reader.ts';
import { cleanRun, flushOf, type Step, specOf } from '../mirror/builds.ts';
import { tempFolder } from '../stack/temp-folder.ts';
import { until } from './fixtures/builds.ts';
import { readFaithfully, untilEvents } from './fixtures/live-reader.ts';
import { type Databases, startDatabases } from './mirror/database-fixture.ts';

let databases: Databases;
let databaseUrl: string;
const apis: RunningApi[] = [];

beforeAll(async () => {
  databases = startDatabases();
  databaseUrl = await databases.migrated();
  const config = readConfig({ DATA_DIR: tempFolder(), PORT: '0' });
  const log = pino({ level: 'silent' });
  // Streams need no Temporal.
  for (let n = 0; n < 2; n += 1) {
    apis.push(await startApi({ config, databaseUrl, temporalAddress: '127.0.0.1:1', log }));
  }
});
afterAll(async () => {
  await Promise.all(apis.map((api) => api.close()));
  await databases?.stop();
});

const streamOf = (connection: number, project: string): string =>
  `${apis[connection % 2]?.url}/api/workflows/project/${project}/events`;

const values = (step: Step): string[] => [storableJson(flushDocument(flushOf(step)))];

/** A connection whose transactions a test holds open. */
async function connectWriter(): Promise<Client> {
  const client = new Client(databaseUrl);
  await client.connect();
  return client;
}

/** Resolves when an API has begun a look at the events, has done it, and has begun the next one. */
async function looksAt(client: Client): Promise<void> {
  const since = `select now() as now, bool_or(query_start > $1) as looked from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and query like '%workflow_events%'`;
  for (const what of ['a look', 'the next look', 'one more']) {
    const [{ now }] = (await client.query<{ now: Date }>('select clock_timestamp() as now')).rows as [{ now: Date }];
    await until(what, async () => (await client.query<{ looked: boolean }>(since, [now])).rows[0]?.looked);
  }
}

const build = (id: string, project: string): Step[] => cleanRun(specOf(id, { projectId: project }));

describe('the stream of a project', () => {
  it('waits for a row that was numbered before those that are committed already', async () => {
    const project = 'overtaken';
    const [slow, quick] = [await connectWriter(), await connectWriter()];
    const [first] = build('slow', project);
    if (!first) return expect.fail('a run has steps');
    await slow.query('begin');
    await slow.query(FLUSH_STATEMENT, values(first));
    for (const step of build('quick', project)) await quick.query(FLUSH_STATEMENT, values(step));
    const reader = await readEvents(streamOf(0, project));
    const other = await readEvents(streamOf(0, 'elsewhere'));
    for (const step of build('elsewhere', 'elsewhere')) await quick.query(FLUSH_STATEMENT, values(step));
    await looksAt(quick);
    expect([reader.events, other.events]).toEqual([[], []]);
    await slow.query('commit');
    await untilEvents(reader, 20);
    expect(reader.events.slice(0, 2).map(({ data }) => data.workflow_id)).toEqual(['workflow-slow', 'workflow-slow']);
    expect(reader.ids().map(Number)).toEqual(
      reader
        .ids()
        .map(Number)
        .sort((a, b) => a - b),
    );
    reader.close();
    other.close();
    await Promise.all([slow.end(), quick.end()]);
  });

  /** Of each build: per flush, how long its transaction stays open in ms, and whether a first try is rolled back. */
  const schedules = fc.array(
    fc.array(fc.record({ openMs: fc.nat({ max: 60 }), lost: fc.boolean() }), { minLength: 7, maxLength: 7 }),
    { minLength: 4, maxLength: 10 },
  );

  it('gives each event of all builds once, of each build in order, to readers that come back at random', async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(schedules, fc.infiniteStream(fc.nat({ max: 80 })), async (builds, pauses) => {
        runs += 1;
        const project = `random-${runs}`;
        const readers = Array.from({ length: 4 }, (_, n) =>
          readFaithfully((connection) => streamOf(n + connection, project)),
        );
        let writing = true;
        const breaking = readers.slice(1).map(async (reader) => {
          while (writing) {
            await new Promise((resolve) => setTimeout(resolve, Number(pauses.next().value)));
            reader.breakOff();
          }
        });
        await Promise.all(
          builds.map(async (flushes, n) => {
            const writer = await connectWriter();
            for (const [index, step] of build(`${project}-${n}`, project).entries()) {
              const { openMs = 0, lost = false } = flushes[index] ?? {};
              for (const end of lost ? ['rollback', 'commit'] : ['commit']) {
                await writer.query('begin');
                await writer.query(FLUSH_STATEMENT, values(step));
                await new Promise((resolve) => setTimeout(resolve, openMs));
                await writer.query(end);
              }
            }
            await writer.end();
          }),
        );
        writing = false;
        await Promise.all(breaking);
        const expected = builds.length * 18;
        for (const reader of readers) {
          await untilEvents(reader, expected);
          const seen = reader.events.map(({ data }) => `${String(data.workflow_id)} ${String(data.id)}`);
          expect(new Set(seen).size).toBe(seen.length);
          expect(seen).toHaveLength(expected);
          for (const n of builds.keys()) {
            const own = reader.events.filter(({ data }) => data.workflow_id === `workflow-${project}-${n}`);
            expect(own.map(({ data }) => data.id)).toEqual(own.map((_, index) => `1.${index + 1}`));
          }
        }
        // Nothing comes twice later on either.
        const last = await connectWriter();
        for (const step of build(`${project}-last`, project)) await last.query(FLUSH_STATEMENT, values(step));
        await last.end();
        for (const reader of readers) {
          await until('the last build', async () => reader.events.length >= expected + 18);
          expect(reader.events).toHaveLength(expected + 18);
          reader.stop();
        }
      }),
      { numRuns: 6 },
    );
  });
});
