import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PHASES } from '../../src/machine/states.ts';
import { type Caller, callerOf } from './fixtures/api.ts';
import { until } from './fixtures/builds.ts';
import { completePhase, eventsOf, initialized, promptOf } from './fixtures/outside-agent.ts';
import { startTestProduct, type TestProduct } from './fixtures/product.ts';

let product: TestProduct;
let model: TestProduct['model'];
let ann: Caller;
let bob: Caller;

beforeAll(async () => {
  product = await startTestProduct({ API_KEYS: 'ann:secret-of-ann,bob:secret-of-bob' });
  model = product.model;
  ann = callerOf(product.api.url, 'secret-of-ann');
  bob = callerOf(product.api.url, 'secret-of-bob');
});
afterAll(() => product?.stop());

type Json = Record<string, unknown>;
const at = (workflowId: string, call: string): string => `/api/workflows/${workflowId}/${call}`;
const statusOf = async (id: string): Promise<Json> => (await ann.read(at(id, 'status'))).body;
const eventOf = async (id: string, type: string) =>
  (await eventsOf(ann, id)).findLast(({ event_type }) => event_type === type)?.event_data;

/** A build of outside agents that has completed its first phases. */
async function begun(done: number): Promise<string> {
  const id = await initialized(ann);
  for (const phase of PHASES.slice(0, done)) {
    const { status, body } = await completePhase(ann, id, phase);
    if (status !== 200) throw new Error(JSON.stringify(body));
  }
  return id;
}

describe('request-retry', () => {
  it('sends the work back, tells the next prompt why, and is recorded with the name of the key', async () => {
    const id = await begun(4);
    const reply = await bob.post(at(id, 'request-retry'), { reason: 'the tests prove nothing' });
    expect(reply).toMatchObject({
      status: 200,
      body: { retry_requested: true, previous_state: 'handoff_to_verifier', new_state: 'testing' },
    });
    expect(await statusOf(id)).toMatchObject({
      current_state: 'testing',
      completed_phases: ['discovery', 'planning', 'implementation'],
      attempt: 2,
    });
    const { last, conversation } = await promptOf(ann, id);
    expect(last).toContain('# Phase: testing\n# Attempt: 2\n');
    expect(last).toContain('- retry from handoff_to_verifier, attempt 1: the tests prove nothing');
    expect(last).toMatch(/### rejected: testing\n```json\n[^`]*"test_coverage": 95/);
    expect(conversation.map(({ content }) => content)).toContain('"the words of testing"');
    expect(await eventOf(id, 'retry_requested')).toEqual({
      from: 'handoff_to_verifier',
      to: 'testing',
      actor: 'bob',
      reason: 'the tests prove nothing',
    });
  });

  it('out of error resumes the phase that failed', async () => {
    const id = await begun(5);
    const failed = { phase_result: { deployment_successful: false, notes: 'the disk is full' } };
    expect((await completePhase(ann, id, 'deployment', failed)).body).toMatchObject({ new_state: 'error' });
    expect(await statusOf(id)).toMatchObject({ status: 'error', next_expectations: { role: 'operator' } });
    expect(await completePhase(ann, id, 'deployment')).toMatchObject({ status: 409, body: { code: 'wrong_state' } });
    const reply = await bob.post(at(id, 'request-retry'), { reason: 'there is room again' });
    expect(reply.body).toMatchObject({ previous_state: 'error', new_state: 'deployment' });
    expect((await promptOf(ann, id)).last).toContain('there is room again');
    expect(await eventOf(id, 'resumed')).toMatchObject({ from: 'error', to: 'deployment', actor: 'bob' });
    expect((await completePhase(ann, id, 'deployment')).body).toMatchObject({ is_complete: true });
    expect(await eventOf(id, 'phase_completed')).toMatchObject({ phase: 'deployment', attempt: 2, actor: 'ann' });
  });

  it('makes the model do its phase again, with the reason before its eyes', async () => {
    const build_id = `again-${Math.random()}`;
    const release = model.hold('implementation', build_id);
    const id = await ann.start({ build_id });
    await ann.untilState(id, 'implementation');
    await bob.post(at(id, 'request-retry'), { reason: 'plan it in two parts' });
    const again = await until('the second plan', async () =>
      model.calls.find(({ phase, attempt, build }) => phase === 'planning' && attempt === 2 && build === build_id),
    );
    expect(again.prompt).toContain('- retry from implementation, attempt 1: plan it in two parts');
    release();
    await ann.untilState(id, 'complete');
  });
});

describe('rollback', () => {
  it('makes the build what it was before the phase: later results leave it and stay in the audit', async () => {
    const id = await begun(4);
    const atPlanning = { target_state: 'planning', reason: 'a wrong approach' };
    const reply = await bob.post(at(id, 'rollback'), atPlanning);
    expect(reply).toMatchObject({
      status: 200,
      body: {
        rollback_successful: true,
        previous_state: 'handoff_to_verifier',
        new_state: 'planning',
        rolled_back_by: 'bob',
      },
    });
    expect(await statusOf(id)).toMatchObject({
      current_state: 'planning',
      completed_phases: ['discovery'],
      progress: { percentage: 17 },
    });
    const { last, conversation } = await promptOf(ann, id);
    expect(last).toContain('- rollback from planning, attempt 1: a wrong approach');
    expect([...last.matchAll(/^### (\w+)$/gm)].map(([, name]) => name)).toEqual(['discovery']);
    expect(JSON.stringify(conversation)).toContain('the words of discovery');
    expect(JSON.stringify(conversation)).not.toContain('the words of planning');
    const events = await eventsOf(ann, id);
    const completed = events.filter(({ event_type }) => event_type === 'phase_completed');
    expect(completed.map(({ event_data }) => event_data.phase)).toEqual(PHASES.slice(0, 4));
    expect(events.at(-1)).toMatchObject({ event_type: 'phase_started', event_data: { phase: 'planning', attempt: 2 } });
    expect(await eventOf(id, 'rolled_back')).toMatchObject({
      to: 'planning',
      actor: 'bob',
      reason: 'a wrong approach',
    });
    const { handoffs } = (await ann.get(at(id, 'history'))).body as { handoffs: Json[] };
    expect(handoffs.map(({ from_state }) => from_state)).toEqual(PHASES.slice(0, 4));
    for (const phase of PHASES.slice(1)) expect((await completePhase(ann, id, phase)).status).toBe(200);
    expect(await statusOf(id)).toMatchObject({ current_state: 'complete', completed_phases: PHASES });
  });
});

describe('abort', () => {
  it('ends the build where it is, cancels the running call, and refuses what comes after', async () => {
    const build_id = `ended-${Math.random()}`;
    const release = model.hold('planning', build_id);
    const id = await ann.start({ build_id });
    await until('the call', async () =>
      model.calls.some(({ phase, build }) => phase === 'planning' && build === build_id),
    );
    expect(await bob.post(at(id, 'abort'), { reason: 'no longer needed' })).toMatchObject({
      status: 200,
      body: { aborted: true, previous_state: 'planning', status: 'cancelled', reason: 'no longer needed' },
    });
    await until('the cancelled call', async () => model.cancelled.some(({ build }) => build === build_id));
    release();
    expect(await statusOf(id)).toMatchObject({ status: 'cancelled', current_state: 'planning', completed_at: null });
    expect(await eventOf(id, 'aborted')).toMatchObject({ actor: 'bob', reason: 'no longer needed' });
    expect(await completePhase(ann, id, 'planning')).toMatchObject({ status: 409, body: { code: 'build_over' } });
  });
});
