import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEventFeed, type EventFeed } from '../../../src/mirror/event-feed.ts';
import { createMirror, type Mirror } from '../../../src/mirror/mirror.ts';
import { cleanRun, flushOf, RESULTS, type Step, specOf, T0 } from '../../mirror/builds.ts';
import { type Databases, startDatabases } from './database-fixture.ts';

const SOON = { timeoutMs: 20_000 };
const ALL = { after: 0, upTo: Number.MAX_SAFE_INTEGER };

let databases: Databases;
let url: string;
let mirror: Mirror;
let feed: EventFeed;

beforeAll(async () => {
  databases = startDatabases();
});
afterAll(() => databases.stop());
beforeEach(async () => {
  url = await databases.migrated();
  mirror = createMirror({ databaseUrl: url, poolSize: 4 });
  feed = createEventFeed({ databaseUrl: url, poolSize: 2, timeoutMs: 5_000 });
});
afterEach(async () => {
  await feed.close();
  await mirror.close();
});

async function flushAll(run: readonly Step[]): Promise<void> {
  for (const step of run) await mirror.flush(flushOf(step), SOON);
}

const build = (id: string) => ({ kind: 'build' as const, id: `workflow-${id}` });
const place = ({ generation, seq }: { generation: number; seq: number }): string => `${generation}.${seq}`;

describe('the feed', () => {
  it('has every event of a build in its order, with what it passed on and how the build ended', async () => {
    const run = cleanRun(specOf('a', { projectId: 'shop' }));
    await flushAll(run);
    const rows = await feed.page(build('a'), ALL, 100);
    const { seq } = run.at(-1)?.build ?? expect.fail('a run has steps');
    expect(rows.map(place)).toEqual(Array.from({ length: seq }, (_, index) => `1.${index + 1}`));
    expect(rows.map(({ position }) => position)).toEqual(rows.map(({ position }) => position).sort((a, b) => a - b));
    expect(rows[2]).toEqual({
      generation: 1,
      seq: 3,
      undone: false,
      atMs: T0 + 1000,
      position: expect.any(Number),
      workflowId: 'workflow-a',
      projectId: 'shop',
      type: 'phase_completed',
      by: 'q_assistant',
      data: expect.objectContaining({ from: 'discovery', to: 'planning' }),
      handoff: {
        ...{ generation: 1, seq: 3, undone: false, atMs: T0 + 1000, notes: null, data: RESULTS[0] },
        ...{ fromRole: 'q_assistant', toRole: 'q_assistant', fromState: 'discovery', toState: 'planning' },
      },
      ending: null,
    });
    expect(rows.filter(({ handoff }) => handoff !== null)).toHaveLength(5);
    expect(rows.map(({ ending }) => ending)).toEqual([...rows.slice(1).map(() => null), 'complete']);
  });

  it('gives the same rows by topic as by stretch, and of others none', async () => {
    await flushAll(cleanRun(specOf('a', { projectId: 'shop' })));
    await flushAll(cleanRun(specOf('b', { projectId: 'shop' })));
    await flushAll(cleanRun(specOf('c', { projectId: 'else' })));
    const ofProject = await feed.page({ kind: 'project', id: 'shop' }, ALL, 100);
    expect(new Set(ofProject.map(({ workflowId }) => workflowId))).toEqual(new Set(['workflow-a', 'workflow-b']));
    expect(await feed.rows({ builds: [], projects: ['shop'] }, ALL)).toEqual(ofProject);
    expect(await feed.rows({ builds: ['workflow-a', 'workflow-b'], projects: [] }, ALL)).toEqual(ofProject);
    expect(await feed.rows({ builds: ['workflow-c'], projects: ['shop'] }, ALL)).toHaveLength(54);
    const [, second, third] = ofProject;
    const cut = { after: second?.position ?? 0, upTo: third?.position ?? 0 };
    expect(await feed.page({ kind: 'project', id: 'shop' }, cut, 100)).toEqual([third]);
    expect(await feed.page({ kind: 'project', id: 'shop' }, ALL, 3)).toEqual(ofProject.slice(0, 3));
    expect(await feed.end()).toBe((await feed.page(build('c'), ALL, 100)).at(-1)?.position);
  });

  it('tells the branches of a build apart, and what a reset has undone', async () => {
    const run = cleanRun(specOf('a'));
    await flushAll(run.slice(0, 3));
    const redone = run[2] ?? expect.fail('a run has steps');
    await mirror.flush(flushOf(redone, { branch: 'run-2', runId: 'run-2', openedAtMs: T0 + 1_000_000 }), SOON);
    const rows = await feed.page(build('a'), ALL, 100);
    const last = redone.build.seq;
    const first = redone.rows[0]?.seq ?? 0;
    expect(rows.filter(({ generation }) => generation === 2).map(({ seq }) => seq)).toEqual(
      redone.rows.map(({ seq }) => seq),
    );
    expect(rows.filter(({ undone }) => undone).map(place)).toEqual(redone.rows.map(({ seq }) => `1.${seq}`));
    const at = (generation: number, seq: number) => feed.locate('workflow-a', { generation, seq });
    const positionOf = (text: string) => rows.find((row) => place(row) === text)?.position;
    expect(await at(1, last)).toEqual({ position: positionOf(`1.${last}`), over: false });
    expect(await at(2, first)).toEqual({ position: positionOf(`2.${first}`), over: false });
    // An id that no event has: the one before it.
    expect(await at(1, 999)).toEqual({ position: positionOf(`1.${last}`), over: false });
  });

  it('leads also to rows of a branch that arrive after the reset that undid it', async () => {
    const run = cleanRun(specOf('a'));
    const late = run[3] ?? expect.fail('a run has steps');
    const redone = run[2] ?? expect.fail('a run has steps');
    await flushAll(run.slice(0, 3));
    await mirror.flush(flushOf(redone, { branch: 'run-2', runId: 'run-2', openedAtMs: T0 + 1_000_000 }), SOON);
    await mirror.flush(flushOf(late), SOON);
    const behind = async (generation: number, seq: number): Promise<string[]> => {
      const after = (await feed.locate('workflow-a', { generation, seq }))?.position ?? 0;
      return (await feed.page(build('a'), { ...ALL, after }, 100)).map(place);
    };
    const lateIds = late.rows.map(({ seq }) => `1.${seq}`);
    expect(lateIds.length).toBeGreaterThan(1);
    expect(await behind(2, redone.build.seq)).toEqual(lateIds);
    expect(await behind(1, late.rows[0]?.seq ?? 0)).toEqual(lateIds.slice(1));
  });
});

describe('a place of a build', () => {
  it('is at the end only when the build is over, all of it is here, and it is the last', async () => {
    const run = cleanRun(specOf('a'));
    expect(await feed.locate('workflow-a', null)).toBeNull();
    await flushAll(run.slice(0, -1));
    const { seq } = run.at(-1)?.build ?? expect.fail('a run has steps');
    expect(await feed.locate('workflow-a', null)).toEqual({ position: 0, over: false });
    expect(await feed.locate('workflow-a', { generation: 1, seq })).toMatchObject({ over: false });
    // The last rows come in two flushes: with the first the status is told already.
    const end = run.at(-1) ?? expect.fail('a run has steps');
    await mirror.flush(flushOf(end, { rows: end.rows.slice(0, 1) }), SOON);
    expect(await feed.locate('workflow-a', { generation: 1, seq })).toMatchObject({ over: false });
    await mirror.flush(flushOf(end), SOON);
    expect(await feed.locate('workflow-a', { generation: 1, seq: seq - 1 })).toMatchObject({ over: false });
    expect(await feed.locate('workflow-a', { generation: 1, seq })).toMatchObject({ over: true });
  });
});

describe('writers', () => {
  it('are those who may hold ids that nobody sees yet', async () => {
    await flushAll(cleanRun(specOf('a')).slice(0, 1));
    expect(await feed.writers()).toEqual([]);
    const [writer, reader] = [new Client(url), new Client(url)];
    await Promise.all([writer.connect(), reader.connect()]);
    for (const client of [writer, reader]) await client.query('begin');
    await reader.query('select count(*) from workflow_events');
    expect(await feed.writers()).toEqual([]);
    const columns = 'workflow_id, project_id, branch, seq, run_id, event_type, triggered_by, event_data, timestamp';
    const insert = `insert into workflow_events (${columns})
      select workflow_id, project_id, branch, $1::int, run_id, event_type, triggered_by, event_data, timestamp
      from workflow_events where seq = 1`;
    const before = await feed.end();
    await writer.query(insert, [90]);
    const [held, ...others] = await feed.writers();
    expect([held, others]).toEqual([expect.any(String), []]);
    expect(await feed.end()).toBe(before);
    await writer.query('commit');
    expect(await feed.writers()).toEqual([]);
    expect(await feed.end()).toBeGreaterThan(before);
    await writer.query('begin');
    await writer.query(insert, [91]);
    expect(await feed.writers()).toEqual([expect.not.stringMatching(`^${held}$`)]);
    await Promise.all([writer.end(), reader.end()]);
  });
});

it('answers no call that Postgres does not', async () => {
  const away = createEventFeed({ databaseUrl: 'postgresql://127.0.0.1:1/none', poolSize: 1, timeoutMs: 500 });
  await expect(away.end()).rejects.toThrow();
  await away.close();
});
