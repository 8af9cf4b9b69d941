import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { PHASES, ROLES } from '../../../src/machine/states.ts';
import { ANSWERS } from '../../fakes/model.ts';
import { describeInBrowser, openBrowser } from '../fixtures/browser.ts';
import { until } from '../fixtures/builds.ts';
import { eventsOf } from '../fixtures/outside-agent.ts';
import { startTestProduct, type TestProduct } from '../fixtures/product.ts';
import {
  openWebUi,
  readMetadata,
  requestCancellation,
  reset,
  runQuery,
  sendSignal,
  sendUpdate,
  terminate,
  type WebUi,
} from '../fixtures/web-ui.ts';

let product: TestProduct;
let browser: Browser;
let ui: WebUi;

/** A build of outside agents that has completed its first phases. */
async function begun(phases: number): Promise<string> {
  const workflowId = await product.api.start({ external_roles: ROLES });
  for (const phase of PHASES.slice(0, phases)) {
    expect(await product.api.claim(workflowId, phase)).toMatchObject({ status: 200 });
  }
  return workflowId;
}

const statusOf = async (workflowId: string) => (await product.api.get(`/api/workflows/${workflowId}/status`)).body;

const lastEvent = async (workflowId: string, type: string) =>
  (await eventsOf(product.api, workflowId)).findLast(({ event_type }) => event_type === type)?.event_data;

/** The event to which a reset takes the build back to planning. */
async function beforePlanningWasDone(workflowId: string): Promise<string> {
  const { events } = await product.test.client.workflow.getHandle(workflowId).fetchHistory();
  const updates = (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
  const before = (events ?? []).findLast(
    (event) => event.workflowTaskCompletedEventAttributes && Number(event.eventId) < Number(updates[1]?.eventId),
  );
  return String(before?.eventId);
}

describeInBrowser('an operator at the Web UI', () => {
  beforeAll(async () => {
    product = await startTestProduct();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await product?.stop();
  });
  beforeEach(async () => {
    ui = await openWebUi(browser, product.test.stack.temporal.uiUrl ?? '');
  });
  afterEach(async () => {
    const { faults } = ui;
    await ui.page.close();
    expect(faults).toEqual([]);
  });

  it('opens a parked build, sends the retry that its details offer, and the build obeys and completes', async () => {
    product.model.answer('planning', 'I would rather talk about the weather.');
    const workflowId = await product.api.start();
    await product.api.untilState(workflowId, 'error');
    const { current } = await readMetadata(ui, workflowId, 'Needs an operator: planning failed');
    const offered = /retry \(goes to planning\): (\{.*\})/.exec(current)?.[1] ?? '';
    product.model.answer('planning', ANSWERS.planning);
    await sendSignal(ui, workflowId, 'retry', offered);
    await product.api.untilState(workflowId, 'complete');
    expect(await lastEvent(workflowId, 'retry_requested')).toMatchObject({ actor: 'your name', reason: 'say why' });
  });

  it('rolls a build back, and aborts it, by signals', async () => {
    const workflowId = await begun(3);
    const back = { target_state: 'planning', reason: 'wrong approach', actor: 'ann' };
    await sendSignal(ui, workflowId, 'rollback', JSON.stringify(back));
    await product.api.untilState(workflowId, 'planning');
    expect(await lastEvent(workflowId, 'rolled_back')).toMatchObject({ actor: 'ann', reason: 'wrong approach' });
    await sendSignal(ui, workflowId, 'abort', '{"reason":"no longer needed","actor":"ann"}');
    await until('the end', async () => (await statusOf(workflowId)).status === 'cancelled');
    expect(await lastEvent(workflowId, 'aborted')).toMatchObject({ actor: 'ann', reason: 'no longer needed' });
  });

  it('advances a build by an update, and is told in one line why another is refused', async () => {
    const workflowId = await begun(1);
    const plan = { role: 'q_assistant', completed_state: 'planning', phase_result: { plan: 'one function' } };
    expect(await sendUpdate(ui, workflowId, 'advance', JSON.stringify(plan))).toBeNull();
    expect(await statusOf(workflowId)).toMatchObject({ current_state: 'handoff_to_coder' });
    const refused = (await sendUpdate(ui, workflowId, 'advance', JSON.stringify(plan))) ?? '';
    expect(refused).toContain(
      'completed_state is planning, but the build is in handoff_to_coder. Allowed now: advance',
    );
    expect(refused).not.toMatch(/\n\s+at |ApplicationFailure|\.ts:/);
    const malformed = (await sendUpdate(ui, workflowId, 'rollback', '{"target_state":"nowhere"}')) ?? '';
    expect(malformed).toMatch(/rollback: target_state must be one of .*; reason must be a text/);
    expect(await statusOf(workflowId)).toMatchObject({ current_state: 'handoff_to_coder' });
  });

  it('asks for the status by a query', async () => {
    const workflowId = await begun(2);
    const shown = await runQuery(ui, workflowId, 'status', 'next_expectations');
    expect(shown).toContain('"current_state": "handoff_to_coder"');
  });

  it('requests the cancellation of a build, which is an abort with its event', async () => {
    const workflowId = await begun(1);
    await requestCancellation(ui, workflowId);
    await until('the end', async () => (await statusOf(workflowId)).status === 'cancelled');
    expect(await lastEvent(workflowId, 'aborted')).toMatchObject({ actor: 'temporal', from: 'planning' });
    const { status } = await product.test.client.workflow.getHandle(workflowId).describe();
    expect(status.name).toBe('CANCELLED');
    await readMetadata(ui, workflowId, 'Cancelled in planning');
  });

  it('terminates a build, whose status is cancelled at once', async () => {
    const workflowId = await begun(1);
    await terminate(ui, workflowId, 'it does not obey');
    expect(await statusOf(workflowId)).toMatchObject({ status: 'cancelled', current_state: 'planning' });
  });

  it.each([
    ['running', 3],
    ['finished', 6],
  ])('resets a %s build, which goes on from there in a new branch', async (_, phases) => {
    const workflowId = await begun(phases);
    if (phases === PHASES.length) await product.test.client.workflow.getHandle(workflowId).result();
    await reset(ui, workflowId, await beforePlanningWasDone(workflowId), 'the plan was lost');
    const back = await product.api.untilState(workflowId, 'planning');
    expect(back).toMatchObject({ completed_phases: ['discovery'], status: 'in_progress' });
    await readMetadata(ui, workflowId, 'Waits for q_assistant: planning');
    for (const phase of PHASES.slice(1)) await product.api.claim(workflowId, phase);
    await product.test.client.workflow.getHandle(workflowId).result();
    expect(await statusOf(workflowId)).toMatchObject({ status: 'complete' });
    const { body } = await product.api.get(`/api/workflows/${workflowId}/history?limit=500`);
    const events = body.events as { event_type: string; undone?: boolean }[];
    expect(events.filter(({ event_type, undone }) => event_type === 'completed' && !undone)).toHaveLength(1);
    expect(events.some(({ undone }) => undone)).toBe(true);
  });
});
