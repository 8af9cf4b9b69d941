import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningWorker } from '../../../src/compose/worker.ts';
import { PHASES, ROLES } from '../../../src/machine/states.ts';
import { type FakeModel, startFakeModel } from '../../fakes/model.ts';
import { startTestApi } from '../fixtures/api.ts';
import { until } from '../fixtures/builds.ts';
import { commandLines } from '../fixtures/command-lines.ts';
import { startEagerStack } from '../fixtures/eager-stack.ts';
import { startTestStack, type TestStack } from '../fixtures/stack.ts';
import { startTestWorker } from '../fixtures/worker.ts';
import { taskThatLedTo } from './resets.ts';

let stack: TestStack;
let test: TestStack;
let model: FakeModel;
let worker: RunningWorker;
let api: Awaited<ReturnType<typeof startTestApi>>;
let database: pg.Client;

beforeAll(async () => {
  stack = await startTestStack();
  test = await startEagerStack(stack, 60);
  model = await startFakeModel();
  worker = await startTestWorker(test, model);
  api = await startTestApi(test);
  database = new pg.Client(test.databaseUrl);
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await api?.close();
  await worker?.close();
  await model?.stop();
  await test?.stop();
  await stack?.stop();
});

const runOf = async (id: string) => (await test.client.workflow.getHandle(id).describe()).runId;

/** A build in planning that has just begun its second run; gives both. */
async function continued(): Promise<{ id: string; runs: string[] }> {
  const id = await api.start({ external_roles: ROLES });
  const runs = [await runOf(id)];
  await api.claim(id, 'discovery');
  for (let back = 0; runs.length < 2; back += 1) {
    const again = { target_state: 'discovery', reason: `again ${back}` };
    expect((await api.post(`/api/workflows/${id}/rollback`, again)).status).toBe(200);
    await api.claim(id, 'discovery');
    const run = await runOf(id);
    if (run !== runs.at(-1)) runs.push(run);
  }
  return { id, runs };
}

async function reset(id: string, runId: string, state: string): Promise<void> {
  const task = await taskThatLedTo(test.client.workflow.getHandle(id, runId), state);
  const how = ['--event-id', task, '--reapply-exclude', 'All', '--reason', 'poisoned'];
  const { code, output } = await commandLines(test).temporal('workflow', 'reset', '-w', id, '-r', runId, ...how);
  if (code !== 0) throw new Error(output);
}

async function endsWhole(id: string): Promise<void> {
  for (const phase of PHASES.slice(1)) expect(await api.claim(id, phase)).toMatchObject({ status: 200 });
  await until('the row', async () => {
    const { rows } = await database.query('select status from build_workflows where id = $1', [id]);
    return rows[0]?.status === 'complete';
  });
  const { body } = await api.read(`/api/workflows/${id}/history?limit=500`);
  const events = body.events as { id: string; seq: number; undone: boolean }[];
  const current = events.filter(({ undone }) => !undone);
  expect(current.map(({ seq }) => seq)).toEqual(current.map((_, index) => index + 1));
  expect(current.at(-1)?.id).toMatch(/^2\./);
  expect(events.some(({ undone }) => undone)).toBe(true);
  expect((await api.get(`/api/workflows/${id}/status`)).body).toMatchObject({ status: 'complete' });
}

describe('a reset of a build that continued as new', () => {
  it('in its newest run makes a branch that everything follows', async () => {
    const { id, runs } = await continued();
    await api.claim(id, 'planning');
    await reset(id, runs.at(-1) ?? '', 'handoff_to_coder');
    await api.untilState(id, 'planning');
    await endsWhole(id);
  });

  it('in an older run takes back all that the runs behind it did, and is no end', async () => {
    const { id, runs } = await continued();
    await reset(id, runs[0] ?? '', 'planning');
    await api.untilState(id, 'discovery');
    await api.claim(id, 'discovery');
    await endsWhole(id);
    const { rows } = await database.query(
      "select from workflow_events where workflow_id = $1 and event_type = 'aborted'",
      [id],
    );
    expect(rows).toEqual([]);
  });
});
