import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RunningWorker } from '../../../src/compose/worker.ts';
import { PHASES, type Phase } from '../../../src/machine/states.ts';
import type { HistoryReply } from '../../../src/workflows/messages.ts';
import { ANSWERS, type FakeModel, type ModelCallSeen, startFakeModel } from '../../fakes/model.ts';
import {
  ALL_EXTERNAL,
  CLAIMS,
  claim,
  rowsOf,
  startBuild,
  statusOf,
  until,
  untilState,
  update,
} from '../fixtures/builds.ts';
import { historyFigures } from '../fixtures/history-figures.ts';
import { startTestStack, type TestStack } from '../fixtures/stack.ts';
import { startTestWorker } from '../fixtures/worker.ts';

let test: TestStack;
let model: FakeModel;
let worker: RunningWorker;
let database: pg.Client;

beforeAll(async () => {
  test = await startTestStack();
  database = new pg.Client(test.databaseUrl);
  await database.connect();
  model = await startFakeModel();
  worker = await startTestWorker(test, model);
});
afterAll(async () => {
  await worker?.close();
  await model?.stop();
  await database?.end();
  await test?.stop();
});
afterEach(() => {
  for (const phase of PHASES) model.answer(phase, ANSWERS[phase]);
});

/** A test that fails leaves the next one a model that answers. */
function hold(phase: Phase): () => void {
  const letGo = model.hold(phase);
  onTestFinished(letGo);
  return letGo;
}

const typesOf = async (handle: WorkflowHandle): Promise<string[]> => (await rowsOf(handle)).map(({ type }) => type);
const mirrorRow = async (handle: WorkflowHandle) =>
  (await database.query('select * from build_workflows where id = $1', [handle.workflowId])).rows[0];
/** A worker that is slow costs workflow tasks, whatever was asked of it. */
const eventsBesideTasks = async (handle: WorkflowHandle) =>
  Object.entries((await historyFigures(handle)).types).filter(([type]) => !type.startsWith('workflowTask'));
/** Of this build alone: the one before may have asked for something while it ended. */
const ofPhase = (calls: readonly ModelCallSeen[], handle: WorkflowHandle, phase: Phase) =>
  calls.filter((call) => call.phase === phase && call.build === `build-${handle.workflowId}`);
const callsOf = (handle: WorkflowHandle, phase: Phase) => ofPhase(model.calls, handle, phase);
const called = (handle: WorkflowHandle, phase: Phase, count = 1) =>
  until(`call ${count} of ${phase}`, async () => callsOf(handle, phase).length >= count);
const gaveUp = (handle: WorkflowHandle, phase: Phase) =>
  until('the cancelled call', async () => ofPhase(model.cancelled, handle, phase).length > 0);

async function refusal(work: Promise<unknown>): Promise<{ type: string | null | undefined; details: unknown }> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  const cause = (error as WorkflowUpdateFailedError).cause as ApplicationFailure;
  return { type: cause.type, details: cause.details?.[0] };
}

describe('a person who takes over from the model', () => {
  it('cancels the running call, really closes its socket, and counts instead of it', async () => {
    const release = hold('planning');
    const handle = await startBuild(test);
    await called(handle, 'planning');
    const reply = await update(handle, 'advance', {
      role: 'Q_ASSISTANT',
      completed_state: 'PLANNING',
      phase_result: { plan: 'mine' },
      actor: 'ann',
    });
    expect(reply).toMatchObject({
      previous_state: 'planning',
      new_state: 'handoff_to_coder',
      handoff_data: { plan: 'mine' },
    });
    await gaveUp(handle, 'planning');
    release();
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    const rows = await rowsOf(handle);
    expect(rows.filter(({ type }) => type === 'preempted').map(({ data }) => data.actor)).toEqual(['ann']);
    expect((await mirrorRow(handle)).planning_phase).toMatchObject({ plan: 'mine' });
    expect(callsOf(handle, 'planning')).toHaveLength(1);
    const lost = await until('the cancelled call in the mirror', async () => {
      const text = "select * from workflow_model_calls where workflow_id = $1 and outcome = 'cancelled'";
      return (await database.query(text, [handle.workflowId])).rows[0];
    });
    expect(lost).toMatchObject({ phase: 'planning', attempt: 1 });
  });

  it('is refused where the role or the state is wrong, with what is allowed, and the history does not grow', async () => {
    const handle = await startBuild(test, { externalRoles: ALL_EXTERNAL });
    await untilState(handle, 'discovery');
    await until('the first flush', async () => (await handle.query<HistoryReply>('history')).flushed_seq === 2);
    const before = await eventsBesideTasks(handle);
    const wrongRole = await refusal(
      update(handle, 'advance', { role: 'code_writer', completed_state: 'discovery', phase_result: {} }),
    );
    expect(wrongRole).toMatchObject({ type: 'wrong_role', details: { state: 'discovery' } });
    const wrongState = await refusal(claim(handle, 'testing'));
    expect(wrongState.type).toBe('wrong_state');
    const malformed = await refusal(update(handle, 'rollback', { target_state: 'nowhere' }));
    expect(malformed).toMatchObject({
      type: 'invalid_body',
      details: { faults: [{ at: 'target_state' }, { at: 'reason' }] },
    });
    const nothing = await refusal(update(handle, 'retry', { reason: 'again' }));
    expect(nothing.type).toBe('nothing_before');
    expect(await eventsBesideTasks(handle)).toEqual(before);
    await update(handle, 'abort', { reason: 'seen enough' });
    await handle.result();
  });
});

describe('work that goes back', () => {
  it('is sent back by a failing verdict with its reasons in the next prompt', async () => {
    model.answer('verification', {
      ...ANSWERS.verification,
      approved_for_deployment: false,
      verification_report: 'halves, not doubles',
    });
    const release = hold('implementation');
    const handle = await startBuild(test);
    await called(handle, 'implementation');
    release();
    await called(handle, 'verification');
    await called(handle, 'implementation', 2);
    model.answer('verification', ANSWERS.verification);
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    const second = callsOf(handle, 'implementation').find(({ attempt }) => attempt === 2);
    expect(second?.prompt).toContain('halves, not doubles');
    expect(await typesOf(handle)).toContain('sent_back');
  });

  it('parks after WORKFLOW_MAX_RETRIES send-backs, and an operator retry starts the counting anew', async () => {
    model.answer('verification', {
      ...ANSWERS.verification,
      approved_for_deployment: false,
      verification_report: 'never',
    });
    const handle = await startBuild(test, { maxSendBacks: 1 });
    const parked = await untilState(handle, 'error');
    expect(parked.next_expectations).toMatchObject({ role: 'operator', deadline: null });
    expect(parked.next_expectations.task).toContain('never');
    await until('the parked row', async () => (await mirrorRow(handle))?.current_state === 'error');
    model.answer('verification', ANSWERS.verification);
    const reply = await update(handle, 'retry', { reason: 'look again', actor: 'ann' });
    expect(reply).toMatchObject({ previous_state: 'error', new_state: 'implementation' });
    expect(await handle.result()).toMatchObject({ status: 'complete', attempts: { implementation: 3 } });
    const prompts = callsOf(handle, 'implementation').filter(({ attempt }) => attempt === 3);
    expect(prompts[0]?.prompt).toMatch(/never[\s\S]*never[\s\S]*look again/);
  });

  it('rolls back to a phase: later results leave the build, the reason is in its prompt, the rows stay', async () => {
    const release = hold('deployment');
    const handle = await startBuild(test);
    await called(handle, 'deployment');
    const reply = await update(handle, 'rollback', {
      target_state: 'PLANNING',
      reason: 'wrong approach',
      actor: 'ann',
    });
    expect(reply).toMatchObject({ previous_state: 'deployment', new_state: 'planning' });
    release();
    expect(await handle.result()).toMatchObject({ status: 'complete', attempts: { planning: 2, implementation: 2 } });
    const planning = callsOf(handle, 'planning');
    expect(planning[1]?.prompt).toContain('wrong approach');
    expect(planning[1]?.prompt).not.toContain('src/double.js');
    const { rows } = await database.query('select seq from workflow_events where workflow_id = $1 order by seq', [
      handle.workflowId,
    ]);
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
  });
});

describe('what cannot go on', () => {
  it('parks with a reason when the active time is used up, and the late answer is dropped', async () => {
    const release = hold('discovery');
    const handle = await startBuild(test, { activeTimeoutMs: 1500 });
    const parked = await untilState(handle, 'error');
    expect(parked.next_expectations.task).toContain('WORKFLOW_TIMEOUT');
    release();
    expect((await rowsOf(handle)).at(-1)).toMatchObject({ type: 'parked', data: { code: 'workflow_timeout' } });
    await update(handle, 'retry', { reason: 'more time' });
    // A build without time left asks no model. No longer: the little time that this one has may not be enough again.
    await called(handle, 'discovery', 2);
    await update(handle, 'abort', { reason: 'seen enough' });
    expect(await handle.result()).toMatchObject({ status: 'cancelled', attempts: { discovery: 2 } });
  });

  it('parks when a model answers nonsense for ever, after a bounded number of repairs', async () => {
    model.answer('planning', 'I would rather talk about the weather.');
    const handle = await startBuild(test);
    await untilState(handle, 'error');
    expect((await rowsOf(handle)).at(-1)).toMatchObject({
      type: 'parked',
      data: { code: 'bad_answer', phase: 'planning' },
    });
    expect(callsOf(handle, 'planning')).toHaveLength(3);
    await update(handle, 'abort', { reason: 'no use' });
    expect(await handle.result()).toMatchObject({ status: 'cancelled' });
    expect(await mirrorRow(handle)).toMatchObject({ current_state: 'error', status: 'cancelled' });
  });

  it('parks when the release failed, and retry releases again', async () => {
    model.answer('deployment', { ...ANSWERS.deployment, deployment_successful: false, notes: 'the disk was full' });
    const handle = await startBuild(test);
    const parked = await untilState(handle, 'error');
    expect(parked.next_expectations.task).toContain('the disk was full');
    model.answer('deployment', ANSWERS.deployment);
    expect(await update(handle, 'retry', { reason: 'disk is free' })).toMatchObject({ new_state: 'deployment' });
    expect(await handle.result()).toMatchObject({ status: 'complete' });
  });
});

describe("Temporal's own Cancel", () => {
  it('is an abort: its event, its row in the mirror, the model call cancelled, the run closed as cancelled', async () => {
    hold('discovery');
    const handle = await startBuild(test);
    await called(handle, 'discovery');
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(/cancel/i);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    expect(await mirrorRow(handle)).toMatchObject({ status: 'cancelled', current_state: 'discovery' });
    const { rows } = await database.query(
      'select event_type from workflow_events where workflow_id = $1 order by seq',
      [handle.workflowId],
    );
    expect(rows.map(({ event_type }) => event_type)).toEqual(['build_started', 'phase_started', 'aborted']);
    await gaveUp(handle, 'discovery');
  });
});

describe('operations that are repeated', () => {
  it('take effect once: the same op_id gets the same answer, before and after the end', async () => {
    const handle = await startBuild(test, { externalRoles: ALL_EXTERNAL });
    const { role, phase_result } = CLAIMS.discovery ?? { role: '', phase_result: {} };
    const message = { role, completed_state: 'discovery', phase_result, op_id: 'one' };
    const first = await update(handle, 'advance', message);
    expect(await update(handle, 'advance', message)).toEqual({ ...first });
    expect(await statusOf(handle)).toMatchObject({ current_state: 'planning', completed_phases: ['discovery'] });
    await update(handle, 'abort', { reason: 'enough' });
    await handle.result();
  });
});
