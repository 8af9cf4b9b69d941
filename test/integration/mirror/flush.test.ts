import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PHASES } from '../../../src/machine/states.ts';
import { createMirror, type Mirror } from '../../../src/mirror/mirror.ts';
import { call, cleanRun, completePhase, flushOf, RESULTS, type Step, specOf, steps, T0 } from '../../mirror/builds.ts';
import { type Databases, startDatabases } from './database-fixture.ts';
import { startWire } from './wire.ts';

const SOON = { timeoutMs: 5_000 };

let databases: Databases;
let url: string;
let mirror: Mirror;

beforeAll(async () => {
  databases = startDatabases();
  url = await databases.migrated();
});
afterAll(() => databases.stop());
beforeEach(async () => {
  await databases.query(
    url,
    'truncate build_workflows, build_branches, workflow_events, workflow_handoffs, workflow_model_calls',
  );
  mirror = createMirror({ databaseUrl: url, poolSize: 4 });
});
afterEach(() => mirror.close());

const last = (run: readonly Step[]): Step => run.at(-1) ?? expect.fail('a run has steps');
const counts = async (): Promise<Record<string, string>> => {
  const [row] = await databases.query<Record<string, string>>(
    url,
    `select (select count(*) from workflow_events) as events, (select count(*) from workflow_handoffs) as handoffs,
     (select count(*) from workflow_model_calls) as calls, (select count(*) from build_workflows) as builds,
     (select count(*) from build_branches) as branches`,
  );
  return row ?? {};
};
const buildRow = async (): Promise<Record<string, unknown>> => {
  const [row] = await databases.query(url, 'select * from build_workflows');
  return row ?? {};
};

describe('a flush', () => {
  it('writes events, handoffs, model calls, the branch and the row of a whole build', async () => {
    const run = cleanRun(specOf('a'));
    for (const step of run) await mirror.flush(flushOf(step), SOON);
    const { build } = last(run);
    expect(await counts()).toEqual({
      events: String(build.seq),
      handoffs: '5',
      calls: '6',
      builds: '1',
      branches: '1',
    });
    expect(await buildRow()).toMatchObject({
      id: 'workflow-a',
      build_id: 'build-a',
      project_id: 'project',
      user_id: 'user',
      current_state: 'complete',
      status: 'complete',
      created_at: new Date(T0),
      updated_at: new Date(build.updatedAtMs),
      completed_at: new Date(build.updatedAtMs),
      ...Object.fromEntries(PHASES.map((phase, i) => [`${phase}_phase`, RESULTS[i]])),
      branch: 'run-1',
      last_seq: build.seq,
      workflow_metadata: {
        requirements: 'a function that slugifies titles',
        start_digest: specOf('a').startDigest,
        simulated: true,
        coverage_min: 80,
        external_roles: [],
        view: { status: 'complete', progress: { percentage: 100 } },
      },
    });
    const events = await databases.query(url, 'select * from workflow_events order by seq');
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(events[2]).toMatchObject({
      event_type: 'phase_completed',
      triggered_by: 'q_assistant',
      attempt: 1,
      event_data: { from: 'discovery', to: 'planning' },
      timestamp: new Date(T0 + 1000),
      run_id: 'run-1',
    });
    const [handoff] = await databases.query(url, 'select * from workflow_handoffs order by seq');
    expect(handoff).toMatchObject({
      seq: 3,
      from_role: 'q_assistant',
      to_state: 'planning',
      data_transferred: RESULTS[0],
      notes: null,
    });
    const [first] = await databases.query(url, 'select * from workflow_model_calls order by call_id');
    expect(first).toMatchObject({ phase: 'discovery', attempt: 1, call_id: 'c0', prompt_tokens: 100, outcome: 'ok' });
  });

  it('is one statement', async () => {
    const wire = await startWire(url);
    const counted = createMirror({ databaseUrl: wire.url, poolSize: 1 });
    try {
      const run = cleanRun(specOf('a'));
      for (const step of run) await counted.flush(flushOf(step), SOON);
      expect(counted.statements()).toBe(run.length);
      // One more: the settings of the connection.
      expect(wire.executed()).toBe(run.length + 1);
      expect(await counts()).toMatchObject({ handoffs: '5' });
    } finally {
      await counted.close();
      await wire.stop();
    }
  });

  it('writes nothing twice when it is repeated under another run id', async () => {
    const run = cleanRun(specOf('a'));
    for (const step of run) await mirror.flush(flushOf(step), SOON);
    const [rows, build] = [await counts(), await buildRow()];
    for (const step of run) await mirror.flush(flushOf(step, { runId: 'run-2' }), SOON);
    expect(await counts()).toEqual(rows);
    expect(await buildRow()).toEqual(build);
  });

  it('that arrives late does not turn the row of the build back', async () => {
    const run = cleanRun(specOf('a'));
    for (const step of run.toReversed()) await mirror.flush(flushOf(step), SOON);
    expect(await buildRow()).toMatchObject({ status: 'complete', last_seq: last(run).build.seq });
    expect(await counts()).toMatchObject({ events: String(last(run).build.seq), handoffs: '5' });
  });

  it('without rows brings the row of the build up to date', async () => {
    const [start, next] = cleanRun(specOf('a'));
    if (!start || !next) return expect.fail('a run has steps');
    await mirror.flush(flushOf(start), SOON);
    await mirror.flush(flushOf(next, { rows: [] }), SOON);
    expect(await buildRow()).toMatchObject({ current_state: 'planning', last_seq: next.build.seq });
  });

  it('clears the results that a send-back removed', async () => {
    const rejected = completePhase({ all_tests_passed: false, test_coverage: 0, test_results: 'red' });
    const run = steps(specOf('a'), [...RESULTS.slice(0, 3).map((data) => completePhase(data)), rejected]);
    for (const step of run) await mirror.flush(flushOf(step), SOON);
    expect(await buildRow()).toMatchObject({
      current_state: 'implementation',
      implementation_phase: null,
      planning_phase: RESULTS[1],
    });
    const nulls = await databases.query(url, 'select from build_workflows where implementation_phase is null');
    expect(nulls).toHaveLength(1);
  });

  it('stores what PostgreSQL refuses as U+FFFD, and nonsense counts as the nearest that fit', async () => {
    const nonsense = call('c\0', {
      model: 'm\ud800\0',
      promptTokens: 1e12,
      completionTokens: -3,
      durationMs: Number.NaN,
    });
    const text = { discovered_reqs: ['a\0b\udc00', '\\u0000 😀'], 'k\0': 1 };
    for (const step of steps(specOf('a'), [completePhase(text, [nonsense])])) await mirror.flush(flushOf(step), SOON);
    const [stored] = await databases.query(url, 'select * from workflow_model_calls');
    expect(stored).toMatchObject({
      call_id: 'c\ufffd',
      model: 'm\ufffd\ufffd',
      prompt_tokens: 2 ** 31 - 1,
      completion_tokens: 0,
      duration_ms: 0,
    });
    expect((await buildRow()).discovery_phase).toEqual({
      discovered_reqs: ['a\ufffdb\ufffd', '\\u0000 😀'],
      'k\ufffd': 1,
    });
  });

  it('of many builds at once, on few connections, writes them all', async () => {
    const runs = Array.from({ length: 20 }, (_, i) => cleanRun(specOf(String(i))));
    await Promise.all(runs.flatMap((run) => run.map((step) => mirror.flush(flushOf(step), SOON))));
    const rows = await databases.query<{ status: string }>(url, 'select status from build_workflows');
    expect(rows.filter(({ status }) => status === 'complete')).toHaveLength(20);
  });

  it('waits for its turn among those of the same build, and for no other', async () => {
    const [[first], [other]] = [cleanRun(specOf('a')), cleanRun(specOf('b'))];
    if (!first || !other) return expect.fail('a run has steps');
    const holder = new Client({ connectionString: url });
    await holder.connect();
    await holder.query("select pg_advisory_lock(hashtextextended('workflow-a', 0))");
    await expect(mirror.flush(flushOf(first), { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'mirror_unavailable',
    });
    await mirror.flush(flushOf(other), { ...SOON, patient: true });
    await holder.end();
    await Promise.all([1, 2, 3, 4].map(() => mirror.flush(flushOf(first), SOON)));
    expect(await counts()).toMatchObject({ builds: '2', events: '4' });
  });

  it('that PostgreSQL refuses fails alone: other builds are written at once', async () => {
    const [start] = cleanRun(specOf('a'));
    const [taken] = cleanRun(specOf('b', { buildId: 'build-a' }));
    const [other] = cleanRun(specOf('c'));
    if (!start || !taken || !other) return expect.fail('a run has steps');
    await mirror.flush(flushOf(start), SOON);
    await expect(mirror.flush(flushOf(taken), SOON)).rejects.toMatchObject({
      code: 'mirror_unavailable',
      message: expect.stringContaining('build_workflows_build_id_key'),
    });
    await mirror.flush(flushOf(other), SOON);
    expect(await counts()).toMatchObject({ builds: '2' });
  });
});

describe('calls of a cancelled attempt', () => {
  const lost = { workflowId: 'workflow-a', branch: 'run-1', phase: 'planning', attempt: 2 } as const;

  it('are written once', async () => {
    const [start] = cleanRun(specOf('a'));
    if (!start) return expect.fail('a run has steps');
    await mirror.flush(flushOf(start), SOON);
    const calls = [call('x', { outcome: 'cancelled' }), call('y')];
    await mirror.recordCalls({ ...lost, calls });
    await mirror.recordCalls({ ...lost, calls });
    expect(await counts()).toMatchObject({ calls: '2' });
  });

  it('of a build that the mirror does not know are left out without an error', async () => {
    await mirror.recordCalls({ ...lost, calls: [call('x')] });
    expect(await counts()).toMatchObject({ calls: '0' });
  });
});
