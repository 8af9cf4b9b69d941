import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { MirrorReader as ApiMirrorReader, BuildPage } from '../../../src/api/ports.ts';
import { startApi } from '../../../src/compose/api.ts';
import { readConfig } from '../../../src/config.ts';
import { statusView } from '../../../src/machine/status-view.ts';
import type { MirrorHistory, RowPlace } from '../../../src/mirror/history.ts';
import { createMirror } from '../../../src/mirror/mirror.ts';
import { createReadClient, type ReadClient } from '../../../src/mirror/read-client.ts';
import { createReader, type MirrorReader } from '../../../src/mirror/reader.ts';
import { cleanRun, flushOf, RESULTS, type Step, specOf, T0 } from '../../mirror/builds.ts';
import { until } from '../fixtures/builds.ts';
import { type Databases, startDatabases } from './database-fixture.ts';

const SOON = { timeoutMs: 20_000 };
const ALL = { after: null, limit: 500 };
const WAITING = `select count(*)::int as n from pg_locks join pg_database d on d.oid = database
  where not granted and datname = current_database()`;

let databases: Databases;
let client: ReadClient;
let reader: MirrorReader;
const run = cleanRun(specOf('a'));
const done: Step = run[6] ?? expect.fail('a run has steps');
const resetAt: Step = run[2] ?? expect.fail('a run has steps');

beforeAll(async () => {
  databases = startDatabases();
  const url = await databases.migrated();
  // Prisma's adapter takes what it reads for UTC: the connection must not leave that to the server.
  await databases.query(url, `alter database ${new URL(url).pathname.slice(1)} set timezone = 'Asia/Kolkata'`);
  const mirror = createMirror({ databaseUrl: url, poolSize: 2 });
  for (const step of run) await mirror.flush(flushOf(step), SOON);
  await mirror.flush(flushOf(resetAt, { branch: 'run-2', runId: 'run-2', openedAtMs: T0 + 1_000_000 }), SOON);
  const other = { projectId: 'other', userId: 'someone' };
  for (const i of [1, 2, 3])
    for (const step of cleanRun(specOf(`b${i}`, other))) await mirror.flush(flushOf(step), SOON);
  await mirror.close();
  client = createReadClient({ databaseUrl: url, poolSize: 4, timeoutMs: 10_000 });
  reader = createReader(client.prisma, 10_000);
});
afterAll(async () => {
  await client.close();
  await databases.stop();
});

describe('reading a build', () => {
  it('gives its status as it was flushed, by either id', async () => {
    const { build } = resetAt;
    const { userId, startDigest } = build.spec;
    const expected = { workflowId: 'workflow-a', runId: 'run-2', userId, startDigest };
    const found = await reader.findBuild('workflow-a');
    expect(found).toEqual({ ...expected, view: statusView(build, build.updatedAtMs) });
    expect(await reader.findByBuildId('build-a')).toEqual(found);
  });

  it('that the mirror does not know gives null', async () => {
    expect(await reader.findBuild('none')).toBeNull();
    expect(await reader.findByBuildId('none')).toBeNull();
    expect(await reader.history('none', { events: ALL, handoffs: ALL })).toBeNull();
  });

  it('is what the API asks of a mirror', async () => {
    const port: ApiMirrorReader = reader;
    await port.ping();
  });
});

describe('the history of a build', () => {
  it('lists every row in order, those that a reset has undone marked', async () => {
    const history = await reader.history('workflow-a', { events: ALL, handoffs: ALL });
    const first = resetAt.rows[0]?.seq ?? 0;
    expect(history?.branches).toEqual([
      { branch: 'run-1', lastSeq: done.build.seq },
      { branch: 'run-2', lastSeq: resetAt.build.seq },
    ]);
    expect(history?.events.map(({ generation, seq, undone }) => ({ generation, seq, undone }))).toEqual([
      ...run.flatMap(({ rows }) => rows.map(({ seq }) => ({ generation: 1, seq, undone: seq >= first }))),
      ...resetAt.rows.map(({ seq }) => ({ generation: 2, seq, undone: false })),
    ]);
    expect(history?.events[2]).toEqual({
      ...{ generation: 1, seq: 3, undone: false },
      ...{ atMs: T0 + 1000, type: 'phase_completed', by: 'q_assistant', data: run[1]?.rows[0]?.data },
    });
    expect(history?.handoffs.map(({ toState, undone }) => `${toState} ${undone}`)).toEqual([
      'planning false',
      'handoff_to_coder true',
      'handoff_to_tester true',
      'handoff_to_verifier true',
      'handoff_to_releaser true',
      'handoff_to_coder false',
    ]);
    expect(history?.handoffs[0]).toEqual({
      ...{ generation: 1, seq: 3, undone: false, atMs: T0 + 1000, notes: null, data: RESULTS[0] },
      ...{ fromRole: 'q_assistant', toRole: 'q_assistant', fromState: 'discovery', toState: 'planning' },
    });
    expect(history?.totalHandoffs).toBe(6);
  });

  it('counts handoffs of the same moment as its last rows, also when they change meanwhile', async () => {
    const own = await databases.migrated();
    const mirror = createMirror({ databaseUrl: own, poolSize: 1 });
    for (const step of run) await mirror.flush(flushOf(step), SOON);
    await mirror.close();
    const [writer, readers] = [new Client(own), createReadClient({ databaseUrl: own, poolSize: 4, timeoutMs: 10_000 })];
    onTestFinished(() => readers.close());
    onTestFinished(() => writer.end());
    await writer.connect();
    // Whoever reads handoffs waits, whoever reads events does not.
    await writer.query('begin; lock table workflow_handoffs in access exclusive mode');
    const reading = createReader(readers.prisma, 10_000).history('workflow-a', { events: ALL, handoffs: ALL });
    await until('readers that wait', async () => {
      const { rows } = await writer.query(WAITING);
      return rows[0].n >= 2;
    });
    await writer.query('delete from workflow_events where seq > 3');
    await writer.query('delete from workflow_handoffs where seq > 3');
    await writer.query('commit');
    expect(await reading).toMatchObject({ branches: [{ branch: 'run-1', lastSeq: 3 }], totalHandoffs: 1 });
  });

  it('tells what a handoff passed on by its number, as it is after the reset', async () => {
    const whole = await reader.history('workflow-a', { events: null, handoffs: ALL });
    for (const { seq, undone, data } of whole?.handoffs ?? []) {
      if (!undone) expect(await reader.handoffData('workflow-a', seq)).toEqual(data);
    }
    const onlyUndone = whole?.handoffs.at(-2)?.seq ?? 0;
    expect(await reader.handoffData('workflow-a', onlyUndone)).toBeNull();
    expect(await reader.handoffData('none', 3)).toBeNull();
  });

  it('comes in pages that lose and repeat nothing', async () => {
    const whole = await reader.history('workflow-a', { events: ALL, handoffs: ALL });
    const paged: unknown[] = [];
    let after: RowPlace | null = null;
    do {
      const page: MirrorHistory | null = await reader.history('workflow-a', {
        events: { after, limit: 4 },
        handoffs: null,
      });
      paged.push(...(page?.events ?? []));
      expect(page?.handoffs).toEqual([]);
      after = page?.events.at(-1) ?? null;
    } while (after !== null);
    expect(paged).toEqual(whole?.events);
  });
});

describe('the list of builds', () => {
  const every = { projectIds: null, userId: null, state: null, status: null, after: null, limit: 9 };
  const ids = ({ builds }: BuildPage): string[] => builds.map(({ view }) => view.workflow_id);

  it('comes newest first, in pages, also of builds made in the same millisecond', async () => {
    const first = await reader.listBuilds({ ...every, limit: 3 });
    expect(ids(first)).toEqual(['workflow-b3', 'workflow-b2', 'workflow-b1']);
    expect(first.next).toEqual({ createdAtMs: T0, id: 'workflow-b1' });
    const second = await reader.listBuilds({ ...every, limit: 3, after: first.next });
    expect(ids(second)).toEqual(['workflow-a']);
    expect(second.next).toBeNull();
  });

  it('tells of each build who asked for it and its status at the last flush', async () => {
    const { build } = resetAt;
    const { builds } = await reader.listBuilds({ ...every, projectIds: ['project'] });
    expect(builds).toEqual([{ userId: build.spec.userId, view: statusView(build, build.updatedAtMs) }]);
  });

  it('of no project at all is empty', async () => {
    expect(await reader.listBuilds({ ...every, projectIds: [] })).toEqual({ builds: [], next: null });
  });
});

describe('the first read of a process, which is slow,', () => {
  it('has been made when the API says where it is', async () => {
    const databaseUrl = await databases.migrated();
    const config = readConfig({ PORT: '0' });
    const log = pino({ level: 'silent' });
    const api = await startApi({ config, databaseUrl, temporalAddress: '127.0.0.1:1', log });
    onTestFinished(() => api.close());
    const asked = "select from pg_stat_activity where query like '%build_workflows%' and pid <> pg_backend_pid()";
    const [first] = await databases.query(databaseUrl, `${asked} and datname = current_database()`);
    expect(first).toBeDefined();
  });
});
