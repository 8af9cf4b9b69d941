import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RunningWorker } from '../../../src/compose/worker.ts';
import { type FakeModel, startFakeModel } from '../../fakes/model.ts';
import { startTestApi } from '../fixtures/api.ts';
import { ALL_EXTERNAL, CLAIMS, claim, startBuild, statusOf, until, update } from '../fixtures/builds.ts';
import { startEagerStack } from '../fixtures/eager-stack.ts';
import { startTestStack, type TestStack } from '../fixtures/stack.ts';
import { startTestWorker } from '../fixtures/worker.ts';

/** So few that a build continues several times. */
const SUGGESTED_AT_EVENTS = 60;

let stack: TestStack;
let test: TestStack;
let model: FakeModel;
let worker: RunningWorker;

beforeAll(async () => {
  stack = await startTestStack();
  test = await startEagerStack(stack, SUGGESTED_AT_EVENTS);
  model = await startFakeModel();
  worker = await startTestWorker(test, model);
});
afterAll(async () => {
  await worker?.close();
  await model?.stop();
  await test?.stop();
  await stack?.stop();
});

describe('a run that grows long', () => {
  it('answers a call that is repeated with its key as it did the first time, to the letter', async () => {
    const api = await startTestApi(test);
    onTestFinished(() => api.close());
    const id = await api.start({ external_roles: ALL_EXTERNAL });
    const key = { 'Idempotency-Key': 'the-first' };
    const first = await api.claim(id, 'discovery', key);
    expect(first.body).toMatchObject({ new_state: 'planning', handoff_data: CLAIMS.discovery?.phase_result });
    const runOf = async () => (await test.client.workflow.getHandle(id).describe()).runId;
    const firstRun = await runOf();
    await until('the next run', async () => {
      const reply = await api.post(`/api/workflows/${id}/rollback`, { target_state: 'discovery', reason: 'once more' });
      if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
      return (await runOf()) !== firstRun;
    });
    const again = await api.claim(id, 'discovery', key);
    expect([again.status, again.body]).toEqual([200, first.body]);
    await api.post(`/api/workflows/${id}/abort`, { reason: 'seen' });
  });

  it('continues as new without losing state, rows or operations, and ends as any other', async () => {
    const handle = await startBuild(test, { externalRoles: ALL_EXTERNAL });
    const runs = new Set<string>();
    const first = await update(handle, 'advance', {
      ...CLAIMS.discovery,
      completed_state: 'discovery',
      op_id: 'first',
    });
    for (let back = 0; back < 12; back += 1) {
      await update(handle, 'retry', { reason: `again ${back}`, op_id: `retry ${back}` });
      await claim(handle, 'discovery');
      runs.add((await handle.describe()).runId);
    }
    expect(runs.size).toBeGreaterThan(2);
    expect(await statusOf(handle)).toMatchObject({ current_state: 'planning', attempt: 13 });
    const again = await update(handle, 'advance', {
      ...CLAIMS.discovery,
      completed_state: 'discovery',
      op_id: 'first',
    });
    expect(again).toMatchObject({
      previous_state: first.previous_state,
      new_state: first.new_state,
      timestamp: first.timestamp,
    });
    for (const phase of Object.keys(CLAIMS).slice(1)) await claim(handle, phase);
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    const database = new pg.Client(test.databaseUrl);
    await database.connect();
    const text = 'select seq, branch from workflow_events where workflow_id = $1 order by seq';
    const { rows } = await database.query(text, [handle.workflowId]);
    await database.end();
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
    expect(new Set(rows.map(({ branch }) => branch)).size).toBe(1);
    expect(rows.length).toBeGreaterThan(60);
  });
});
