import { expect, it } from 'vitest';
import { ANSWERS } from '../../fakes/model.ts';
import { eventsOf } from '../fixtures/outside-agent.ts';
import { readMetadata, reset, runQuery, sendSignal, sendUpdate } from '../fixtures/web-ui.ts';
import type { Place } from '../fixtures/web-ui-tests.ts';
import { beforePlanningWasDone, begun, expectGoesOnFromPlanning } from '../runbook/tasks.ts';

// What an operator does with most builds is the runbook's: runbook.ts carries it out.
export function testsOfDriven(place: Place): void {
  const statusOf = async (workflowId: string) =>
    (await place.product.api.get(`/api/workflows/${workflowId}/status`)).body;

  it('opens a parked build, sends the retry that its details offer, and the build obeys and completes', async () => {
    const { product, ui } = place;
    product.model.answer('planning', 'I would rather talk about the weather.');
    const workflowId = await product.api.start();
    await product.api.untilState(workflowId, 'error');
    const { current } = await readMetadata(ui, workflowId, 'Needs an operator: planning failed');
    const offered = /retry \(goes to planning\): (\{.*\})/.exec(current)?.[1] ?? '';
    product.model.answer('planning', ANSWERS.planning);
    await sendSignal(ui, workflowId, 'retry', offered);
    await product.api.untilState(workflowId, 'complete');
    const asked = (await eventsOf(product.api, workflowId)).find(({ event_type }) => event_type === 'retry_requested');
    expect(asked?.event_data).toMatchObject({ actor: 'your name', reason: 'say why' });
  });

  it('advances a build by an update, and is told in one line why another is refused', async () => {
    const { product, ui } = place;
    const workflowId = await begun(product, 1);
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
    const { product, ui } = place;
    const workflowId = await begun(product, 2);
    const shown = await runQuery(ui, workflowId, 'status', 'next_expectations');
    expect(shown).toContain('"current_state": "handoff_to_coder"');
  });

  it('resets a finished build, which goes on from there in a new branch', async () => {
    const { product, ui } = place;
    const workflowId = await begun(product, 6);
    await product.test.client.workflow.getHandle(workflowId).result();
    await reset(ui, workflowId, await beforePlanningWasDone(product, workflowId), 'the plan was lost');
    await product.api.untilState(workflowId, 'planning');
    await readMetadata(ui, workflowId, 'Waits for q_assistant: planning');
    await expectGoesOnFromPlanning(product, workflowId);
  });
}
