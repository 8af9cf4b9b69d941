import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditRow } from '../../../src/machine/events.ts';
import { createEndings, type Endings } from '../../../src/mirror/endings.ts';
import { createMirror, type FlushInput, type Mirror } from '../../../src/mirror/mirror.ts';
import { lastFlush } from '../../../src/reconciler/ended-build.ts';
import { firstFlush } from '../../../src/reconciler/reset-build.ts';
import { cleanRun, flushOf, specOf, T0 } from '../../mirror/builds.ts';
import { endedRun, recordOf, workAt } from '../../reconciler/runs.ts';
import { type Databases, startDatabases } from './database-fixture.ts';
import { arrivals, inAnyOrder, plans, send } from './sent-lines.ts';

const SOON = { timeoutMs: 20_000 };

let databases: Databases;
let url: string;
let mirror: Mirror;
/** Of two processes. */
let reconcilers: Endings[];

beforeAll(async () => {
  databases = startDatabases();
});
afterAll(() => databases.stop());
beforeEach(async () => {
  url = await databases.migrated();
  mirror = createMirror({ databaseUrl: url, poolSize: 8 });
  reconcilers = [0, 1].map(() => createEndings({ databaseUrl: url, poolSize: 4, timeoutMs: 20_000 }));
});
afterEach(() => Promise.all([mirror, ...reconcilers].map(({ close }) => close())));

const rowOf = async (id: string) =>
  (await databases.query(url, 'select * from build_workflows where id = $1', [`workflow-${id}`]))[0];
const currentOf = (id: string) =>
  databases.query<{ seq: number; branch: string; event_type: string }>(
    url,
    'select seq, branch, event_type from current_events where workflow_id = $1 order by seq',
    [`workflow-${id}`],
  );
const figures = async () => {
  const [sums] = await databases.query<Record<string, string>>(
    url,
    `select sum(complete_builds)::int as complete, sum(cancelled_builds)::int as cancelled,
      sum(handoffs)::int as handoffs from project_figures`,
  );
  return sums;
};
const first = (): Endings => reconcilers[0] ?? expect.fail('there are two');

/** What a reconciler writes of a line that was terminated behind its last flush. */
function endOf(id: string, sent: FlushInput, own: readonly AuditRow[] | null): FlushInput {
  const { branch, build, rows, openedAtMs } = sent;
  const run = endedRun(id, { runId: branch, closedAtMs: openedAtMs + 500 });
  const live = own && { branch, flushed_seq: (rows[0]?.seq ?? build.seq + 1) - 1, rows: [...rows, ...own] };
  const record = recordOf({ originalRunId: branch, lastWork: { build, batch: { branch, openedAtMs, rows } } });
  return lastFlush(run, record, live) ?? expect.fail('it has an end');
}

describe('the end of a build that was terminated', () => {
  const run = cleanRun(specOf('a'));
  const sent = flushOf(run[3] ?? expect.fail('a run has steps'));

  it('is written once, with the figures of its project, and a late flush of what still runs changes nothing', async () => {
    for (const step of run.slice(0, 3)) await mirror.flush(flushOf(step), SOON);
    const end = endOf('a', sent, null);
    const outcomes = await Promise.all(reconcilers.map((one) => one.write('end', end)));
    expect(outcomes.toSorted()).toEqual(['known', 'written']);
    const before = await rowOf('a');
    await mirror.flush(sent, SOON);
    expect(await rowOf('a')).toEqual(before);
    expect(before).toMatchObject({ status: 'cancelled', current_state: 'testing', handoff_count: 3 });
    expect(await figures()).toEqual({ complete: 0, cancelled: 1, handoffs: 3 });
    expect((await currentOf('a')).filter(({ event_type }) => event_type === 'aborted')).toHaveLength(1);
  });

  it('is taken back from the figures when a reset opens the build again', async () => {
    await mirror.flush(sent, SOON);
    await first().write('end', endOf('a', sent, null));
    await mirror.flush({ ...sent, branch: 'run-9', runId: 'run-9', openedAtMs: T0 + 1e9 }, SOON);
    expect(await rowOf('a')).toMatchObject({ status: 'in_progress', branch: 'run-9' });
    expect(await figures()).toEqual({ complete: 0, cancelled: 0, handoffs: 0 });
    expect((await currentOf('a')).map(({ event_type }) => event_type)).not.toContain('aborted');
  });

  it('is taken back also when the new run has nothing to write and waits', async () => {
    for (const step of run.slice(0, 4)) await mirror.flush(flushOf(step), SOON);
    await first().write('end', endOf('a', sent, null));
    const reset = { ...endedRun('a', { runId: 'run-9' }), ending: null, closedAtMs: null };
    const record = recordOf({ lastWork: workAt(run[2] ?? expect.fail('a run has steps')), lastEventAtMs: T0 + 1e9 });
    const beginning = firstFlush(reset, { ...record, ackedSeq: sent.build.seq }) ?? expect.fail('a reset begins');
    const outcomes = await Promise.all(reconcilers.map((one) => one.write('beginning', beginning)));
    expect(outcomes.toSorted()).toEqual(['known', 'written']);
    expect(await rowOf('a')).toMatchObject({ status: 'in_progress', branch: 'run-9', current_state: 'implementation' });
    expect(await figures()).toEqual({ complete: 0, cancelled: 0, handoffs: 0 });
    const { seq } = run[2]?.build ?? expect.fail('a run has steps');
    expect((await currentOf('a')).map((row) => row.seq)).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
    await mirror.flush({ ...sent, branch: 'run-9', runId: 'run-9', openedAtMs: T0 + 1e9 + 5 }, SOON);
    expect(await rowOf('a')).toMatchObject({ branch: 'run-9', current_state: 'testing', last_seq: sent.build.seq });
    expect(new Set((await currentOf('a')).map((row) => row.branch))).toEqual(new Set(['run-1', 'run-9']));
  });

  it('is told from rows that Postgres does not take and from a Postgres that is away', async () => {
    const end = endOf('a', sent, null);
    const wrong = { ...end, build: { ...end.build, seq: -1 } };
    expect(await first().write('end', wrong)).toBe('refused');
    const away = createEndings({ databaseUrl: 'postgres://127.0.0.1:1/none', poolSize: 1, timeoutMs: 500 });
    await expect(away.write('end', end)).rejects.toMatchObject({ code: 'mirror_unavailable' });
    await away.close();
  });
});

describe('what the mirror does not know to be over', () => {
  it('is what is open, what it never heard of, and what another run has begun again', async () => {
    const [open, over] = [cleanRun(specOf('a')), cleanRun(specOf('b'))];
    for (const step of open.slice(0, 2)) await mirror.flush(flushOf(step), SOON);
    for (const step of over) await mirror.flush(flushOf(step), SOON);
    const place = (id: string, runId: string, isOpen = false) => ({ workflowId: `workflow-${id}`, runId, isOpen });
    const asked = [place('a', 'run-1'), place('b', 'run-1'), place('c', 'run-1')];
    expect([...(await first().unsettled(asked))].toSorted()).toEqual(['workflow-a', 'workflow-c']);
    expect(await first().unsettled([place('b', 'run-2')])).toEqual(['workflow-b']);
    expect(await first().unsettled([place('a', 'run-1', true), place('c', 'run-1', true)])).toEqual([]);
    expect(await first().unsettled([place('b', 'run-2', true)])).toEqual(['workflow-b']);
  });

  it('is gone through from the oldest on, without those that were heard of a moment ago or are over', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    for (const id of ids) {
      const run = cleanRun(specOf(id));
      const steps = id === 'c' ? run : run.slice(0, ids.indexOf(id) + 1);
      for (const step of steps) await mirror.flush(flushOf(step), SOON);
    }
    await databases.query(
      url,
      "update build_workflows set created_at = created_at - interval '1 day' where id = 'workflow-e'",
    );
    const later = T0 + 1e9;
    const page = await first().silent(null, later, 2);
    expect(page.map(({ workflowId }) => workflowId)).toEqual(['workflow-e', 'workflow-a']);
    const next = await first().silent(page.at(-1) ?? null, later, 5);
    expect(next.map(({ workflowId }) => workflowId)).toEqual(['workflow-b', 'workflow-d']);
    expect((await first().silent(null, T0 + 500, 5)).map(({ workflowId }) => workflowId)).toEqual(['workflow-a']);
  });
});

describe('flushes and ends that are repeated, late and out of order, from several workers and reconcilers', () => {
  it('come to the newest branch, every row once, and one end where it has ended', async () => {
    let n = 0;
    const terminated = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
    const hasJunk = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(plans, terminated, hasJunk, fc.infiniteStream(fc.nat()), async (plan, cut, junk, randoms) => {
        n += 1;
        const id = `p${n}`;
        const { flushes, current, last, ends } = send(cleanRun(specOf(id)), plan);
        const random = (below: number): number => Number(randoms.next().value) % below;
        const finishing = ends.flatMap((sent, line) => {
          if (!cut[line]) return [];
          const seq = sent.build.seq + 1;
          const row = { seq, atMs: T0, type: 'signal_rejected', by: 'operator', data: {} } as const;
          const rows = junk[line] ? [row] : [];
          // Some have an answer of a worker, and some have none.
          return Array.from({ length: 1 + random(3) }, () => endOf(id, sent, random(2) === 0 ? rows : null));
        });
        const work = [
          ...arrivals(flushes, last, random).map((input) => () => mirror.flush(input, SOON)),
          ...finishing.map((end) => () => (reconcilers[random(2)] ?? first()).write('end', end)),
        ];
        await inAnyOrder(work, random);
        const isOver = cut[ends.length - 1] === true;
        const rows = await currentOf(id);
        expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
        expect(rows.slice(0, current.length).map(({ seq, branch }) => `${seq} ${branch}`)).toEqual(current);
        const behind = rows.slice(current.length).map(({ event_type }) => event_type);
        const isCut = isOver && last.build.position.status !== 'complete';
        expect(behind.filter((type) => type !== 'signal_rejected')).toEqual(isCut ? ['aborted'] : []);
        expect(behind.length).toBeLessThanOrEqual(isOver ? 2 : 0);
        const row = await rowOf(id);
        expect(row).toMatchObject({ branch: last.branch, last_seq: rows.length });
        expect(row?.status === 'cancelled').toBe(isCut);
      }),
      { numRuns: 60 },
    );
  });
});
