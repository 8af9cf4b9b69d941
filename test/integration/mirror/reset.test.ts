import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMirror, type FlushInput, type Mirror } from '../../../src/mirror/mirror.ts';
import { cleanRun, flushOf, type Step, specOf, T0 } from '../../mirror/builds.ts';
import { type Databases, startDatabases } from './database-fixture.ts';

const SOON = { timeoutMs: 20_000 };

let databases: Databases;
let url: string;
let mirror: Mirror;

beforeAll(async () => {
  databases = await startDatabases();
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

/** What a workflow sent: flushes in the order of sending, each of all rows that no earlier one had confirmed. */
type Sent = Readonly<{
  flushes: readonly Readonly<{ input: FlushInput; confirmed: boolean }>[];
  current: readonly string[];
  last: FlushInput;
}>;

/** Lines of history; every one but the first begins by resetting the one before it to one of its steps. */
type Plan = Readonly<{ lines: readonly Readonly<{ from: number; length: number; confirmed: readonly boolean[] }>[] }>;

const plans: fc.Arbitrary<Plan> = fc.record({
  lines: fc.array(
    fc.record({
      from: fc.nat({ max: 6 }),
      length: fc.integer({ min: 1, max: 7 }),
      confirmed: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

function send(run: readonly Step[], { lines }: Plan): Sent {
  const flushes: { input: FlushInput; confirmed: boolean }[] = [];
  let current: string[] = [];
  let scheduledMs = T0;
  let reached = 0;
  let last: FlushInput | undefined;
  // Up to which row each step of a line knew the mirror to be; a reset goes back to that knowledge.
  let known: number[] = [0];
  lines.forEach(({ from, length, confirmed }, line) => {
    const branch = `line-${line}`;
    const first = line === 0 ? 0 : Math.min(from, reached);
    let acked = known[first] ?? 0;
    known = known.slice(0, first + 1);
    scheduledMs += 1_000;
    for (let at = first; at < Math.min(run.length, first + length); at++) {
      const step = run[at];
      if (!step) break;
      const unconfirmed = run.slice(0, at + 1).flatMap(({ rows }) => rows.filter(({ seq }) => seq > acked));
      scheduledMs += 1;
      last = flushOf(step, { branch, runId: branch, openedAtMs: scheduledMs, rows: unconfirmed });
      flushes.push({ input: last, confirmed: confirmed[at] === true });
      const begin = unconfirmed[0]?.seq ?? step.build.seq + 1;
      current = [...current.slice(0, begin - 1), ...unconfirmed.map(({ seq }) => `${seq} ${branch}`)];
      if (confirmed[at]) acked = step.build.seq;
      known[at + 1] = acked;
      reached = at;
    }
  });
  return { flushes, current, last: last ?? expect.fail('a plan sends something') };
}

describe('flushes that are repeated, late and out of order, 8 at once', () => {
  it('end in the newest branch and its newest row, with every row once', async () => {
    let n = 0;
    await fc.assert(
      fc.asyncProperty(plans, fc.infiniteStream(fc.nat()), async (plan, randoms) => {
        n += 1;
        const { flushes, current: expected, last } = send(cleanRun(specOf(`p${n}`)), plan);
        const random = (below: number): number => Number(randoms.next().value) % below;
        // Some are lost before they arrive, which nobody can have confirmed; some arrive twice.
        const arriving = flushes
          .filter(({ input, confirmed }) => confirmed || input === last || random(4) > 0)
          .map(({ input }) => input);
        const queue = [...arriving, ...arriving.filter(() => random(3) === 0)];
        const worker = async (): Promise<void> => {
          while (queue.length > 0) {
            const [input] = queue.splice(random(queue.length), 1);
            if (input) await mirror.flush(input, SOON);
          }
        };
        await Promise.all(Array.from({ length: 8 }, worker));
        const rows = await current('current_events', `workflow-p${n}`);
        expect(rows.map(({ seq, branch }) => `${seq} ${branch}`)).toEqual(expected);
        expect(await buildRow(`workflow-p${n}`)).toMatchObject({ branch: last.branch, last_seq: last.build.seq });
      }),
      { numRuns: 60 },
    );
  });
});
