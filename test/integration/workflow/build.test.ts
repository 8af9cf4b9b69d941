import type { WorkflowHandle } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningWorker } from '../../../src/compose/worker.ts';
import { STATES } from '../../../src/machine/states.ts';
import { type FakeModel, startFakeModel } from '../../fakes/model.ts';
import { ALL_EXTERNAL, CLAIMS, claim, rowsOf, startBuild, update } from '../fixtures/builds.ts';
import { historyFigures } from '../fixtures/history-figures.ts';
import { startTestStack, type TestStack } from '../fixtures/stack.ts';
import { startTestWorker } from '../fixtures/worker.ts';

let test: TestStack;
let model: FakeModel;
let worker: RunningWorker;
let database: pg.Client;

beforeAll(async () => {
  test = await startTestStack();
  model = await startFakeModel();
  worker = await startTestWorker(test, model);
  database = new pg.Client(test.databaseUrl);
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await worker?.close();
  await model?.stop();
  await test?.stop();
});

const select = async (text: string, handle: WorkflowHandle) => (await database.query(text, [handle.workflowId])).rows;
const seqsOf = (handle: WorkflowHandle) =>
  select('select seq from workflow_events where workflow_id = $1 order by seq', handle).then((rows) =>
    rows.map((r) => r.seq),
  );

describe('a build by models without send-back', () => {
  it('costs at most 8 activities, 64 events, 40 kB of history and no payload over 32 kB', async () => {
    const handle = await startBuild(test);
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    const figures = await historyFigures(handle);
    expect(figures.activities).toBeLessThanOrEqual(8);
    expect(figures.events).toBeLessThanOrEqual(64);
    expect(figures.bytes).toBeLessThanOrEqual(40_000);
    expect(figures.largestPayloadBytes).toBeLessThanOrEqual(32_000);
  });

  it('leaves every row in Postgres exactly once: 18 events, 5 handoffs, the six results and what the calls cost', async () => {
    const handle = await startBuild(test);
    await handle.result();
    expect(await seqsOf(handle)).toEqual(Array.from({ length: 18 }, (_, index) => index + 1));
    const handoffs = await select('select * from workflow_handoffs where workflow_id = $1 order by seq', handle);
    expect(handoffs.map(({ from_state, to_state }) => [from_state, to_state])).toEqual([
      ['discovery', 'planning'],
      ['planning', 'handoff_to_coder'],
      ['implementation', 'handoff_to_tester'],
      ['testing', 'handoff_to_verifier'],
      ['verification', 'handoff_to_releaser'],
    ]);
    const [row] = await select('select * from build_workflows where id = $1', handle);
    expect(row).toMatchObject({ current_state: 'complete', status: 'complete' });
    for (const phase of Object.keys(CLAIMS)) expect(row[`${phase}_phase`]).not.toBeNull();
    const calls = await select('select * from workflow_model_calls where workflow_id = $1', handle);
    expect(calls.map(({ phase }) => phase).sort()).toEqual(Object.keys(CLAIMS).sort());
    expect(calls.every(({ model: name, outcome }) => name === 'gpt-4' && outcome === 'ok')).toBe(true);
  });
});

describe('a build driven from outside', () => {
  it('ends with six calls and at most 100 events', async () => {
    const handle = await startBuild(test, { externalRoles: ALL_EXTERNAL });
    for (const phase of Object.keys(CLAIMS)) await claim(handle, phase);
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    expect((await historyFigures(handle)).events).toBeLessThanOrEqual(100);
  });

  it('ends with ten calls that acknowledge each handoff, and has the same transitions', async () => {
    const handle = await startBuild(test, { externalRoles: ALL_EXTERNAL });
    const states: string[] = [];
    const phases = Object.keys(CLAIMS);
    for (const phase of phases) {
      const { new_state, next_role } = await claim(handle, phase);
      states.push(new_state);
      if (!new_state.startsWith('handoff_to_')) continue;
      const acknowledged = await update(handle, 'advance', {
        role: next_role,
        completed_state: new_state,
        phase_result: {},
      });
      states.push(acknowledged.new_state);
    }
    expect(states).toEqual(STATES.slice(STATES.indexOf('planning'), STATES.indexOf('complete') + 1));
    await handle.result();
    const types = (await rowsOf(handle)).map(({ type }) => type);
    expect(types.filter((type) => type === 'handoff_acknowledged')).toHaveLength(4);
    expect(await seqsOf(handle)).toEqual(Array.from({ length: 18 }, (_, index) => index + 1));
  });
});
