import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMirror, type Mirror } from '../../../src/mirror/mirror.ts';
import { cleanRun, flushOf, specOf, T0 } from '../../mirror/builds.ts';
import { type Databases, startDatabases } from './database-fixture.ts';
import { arrivals, inAnyOrder, plans, send } from './sent-lines.ts';

const SOON = { timeoutMs: 20_000 };

let databases: Databases;
let url: string;
let mirror: Mirror;

beforeAll(async () => {
  databases = startDatabases();
  url = await databases.migrated();
});
afterAll(() => databases.stop());
beforeEach(() => {
  mirror = createMirror({ databaseUrl: url, poolSize: 8 });
});
afterEach(() => mirror.close());

const current = (view: 'current_events' | 'current_handoffs', workflowId: string) =>
  databases.query<{ seq: number; branch: string }>(
    url,
    `select seq, branch from ${view} where workflow_id = $1 order by seq`,
    [workflowId],
  );
const buildRow = async (workflowId: string) => {
  const [row] = await databases.query(url, 'select * from build_workflows where id = $1', [workflowId]);
  return row;
};

describe('a reset', () => {
  const run = cleanRun(specOf('reset'));
  const resetAt = run[3] ?? expect.fail('a run has steps');
  const after = { branch: 'run-9', runId: 'run-9', openedAtMs: T0 + 1_000_000 };
  beforeEach(async () => {
    for (const step of run) await mirror.flush(flushOf(step), SOON);
    await mirror.flush(flushOf(resetAt, after), SOON);
  });

  it('hides what it has undone and keeps what came before', async () => {
    const first = resetAt.rows[0]?.seq ?? 0;
    const rows = await current('current_events', 'workflow-reset');
    expect(rows).toEqual(
      Array.from({ length: resetAt.build.seq }, (_, i) => ({ seq: i + 1, branch: i + 1 < first ? 'run-1' : 'run-9' })),
    );
    expect(await current('current_handoffs', 'workflow-reset')).toHaveLength(3);
  });

  it('keeps the undone rows in the tables', async () => {
    const old = await databases.query(
      url,
      "select from workflow_events where workflow_id = 'workflow-reset' and branch = 'run-1'",
    );
    expect(old).toHaveLength(run.at(-1)?.build.seq ?? 0);
  });

  it('takes over the row of the build although its numbers are lower', async () => {
    expect(await buildRow('workflow-reset')).toMatchObject({
      branch: 'run-9',
      status: 'in_progress',
      last_seq: resetAt.build.seq,
      completed_at: null,
      deployment_phase: null,
    });
  });

  it('is not undone by a late flush of the branch before', async () => {
    const late = run.at(-1) ?? expect.fail('a run has steps');
    await mirror.flush(flushOf(late, { openedAtMs: T0 + 900_000 }), SOON);
    expect(await buildRow('workflow-reset')).toMatchObject({ branch: 'run-9', status: 'in_progress' });
  });
});

describe('flushes that are repeated, late and out of order, 8 at once', () => {
  it('end in the newest branch and its newest row, with every row once', async () => {
    let n = 0;
    await fc.assert(
      fc.asyncProperty(plans, fc.infiniteStream(fc.nat()), async (plan, randoms) => {
        n += 1;
        const { flushes, current: expected, last } = send(cleanRun(specOf(`p${n}`)), plan);
        const random = (below: number): number => Number(randoms.next().value) % below;
        const arriving = arrivals(flushes, last, random);
        await inAnyOrder(
          arriving.map((input) => () => mirror.flush(input, SOON)),
          random,
        );
        const rows = await current('current_events', `workflow-p${n}`);
        expect(rows.map(({ seq, branch }) => `${seq} ${branch}`)).toEqual(expected);
        expect(await buildRow(`workflow-p${n}`)).toMatchObject({ branch: last.branch, last_seq: last.build.seq });
      }),
      { numRuns: 60 },
    );
  });
});
