import { describe, expect, it } from 'vitest';
import { completePhaseReply } from '../../../src/api/ai-workflows/replies.ts';
import { readApiKeys } from '../../../src/api-keys.ts';
import { AppError } from '../../../src/errors.ts';
import { PHASES, type Phase } from '../../../src/machine/states.ts';
import { complete, RESULTS, type Served, serve } from '../serve.ts';

const PATH = '/api/ai-workflows/complete-phase';
const UNKNOWN = '00000000-0000-5000-8000-000000000000';
const bodyFor = (workflow_id: string, phase: Phase, more: Record<string, unknown> = {}) => ({
  workflow_id,
  ai_response: `the answer of ${phase}`,
  phase_result: RESULTS[phase],
  ...more,
});
const keyed = { 'idempotency-key': 'k-1' };

async function begun(done: number): Promise<{ api: Served; id: string }> {
  const api = await serve();
  const id = await api.startExternal();
  await complete(api, id, PHASES.slice(0, done));
  return { api, id };
}

describe('complete-phase', () => {
  it('completes the current phase, and drives a build to its end with six calls', async () => {
    const { api, id } = await begun(0);
    const seen: unknown[] = [];
    for (const phase of PHASES) {
      const { status, body } = await api.post(PATH, bodyFor(id, phase));
      expect(status).toBe(200);
      const { previous_state, new_state, next_role, is_complete } = completePhaseReply.parse(body);
      seen.push([previous_state, new_state, next_role, is_complete]);
    }
    expect(seen).toEqual([
      ['discovery', 'planning', 'q_assistant', false],
      ['planning', 'handoff_to_coder', 'code_writer', false],
      ['handoff_to_coder', 'handoff_to_tester', 'test_auditor', false],
      ['handoff_to_tester', 'handoff_to_verifier', 'verification_overseer', false],
      ['handoff_to_verifier', 'handoff_to_releaser', 'release_manager', false],
      ['handoff_to_releaser', 'complete', null, true],
    ]);
    const turns = api.heldBuild(id).build.conversation.map(({ aiResponse }) => aiResponse);
    expect(turns).toEqual(PHASES.map((phase) => ({ kind: 'inline', value: `the answer of ${phase}` })));
  });

  it.each(['implementation', 'handoff_to_coder', 'IMPLEMENTATION'])(
    'takes completed_state %s for the phase of the handoff in which the build stands',
    async (completed_state) => {
      const { api, id } = await begun(2);
      const { body } = await api.post(PATH, bodyFor(id, 'implementation', { completed_state }));
      expect(body).toMatchObject({ previous_state: 'handoff_to_coder', new_state: 'handoff_to_tester' });
    },
  );

  it('says what to do next with the path of the call that does it', async () => {
    const { api, id } = await begun(0);
    const next = async (phase: Phase, more = {}) => (await api.post(PATH, bodyFor(id, phase, more))).body.next_action;
    expect(await next('discovery')).toBe(
      `Ask for the prompt of planning with POST /api/ai-workflows/get-ai-prompt/${id}, answer it as q_assistant, and hand the answer on with POST ${PATH} with completed_state "planning".`,
    );
    await complete(api, id, PHASES.slice(1, 5));
    const failed = { phase_result: { deployment_successful: false } };
    expect(await next('deployment', failed)).toContain(`POST /api/workflows/${id}/request-retry`);
    await api.post(`/api/workflows/${id}/request-retry`, { reason: 'again' });
    expect(await next('deployment')).toBe(
      `Nothing: the build is complete. GET /api/workflows/${id}/history has all that was handed on.`,
    );
  });

  it('says that a model drives the next phase, and how to take that over', async () => {
    const api = await serve();
    const start = { build_id: 'b', user_id: 'ann', requirements: 'x', external_roles: ['q_assistant'] };
    const id = String((await api.post('/api/workflows/shop/start', start)).body.workflow_id);
    await api.post(PATH, bodyFor(id, 'discovery'));
    const { next_action } = (await api.post(PATH, bodyFor(id, 'planning'))).body;
    expect(next_action).toMatch(/^Nothing for now: the model drives implementation as code_writer\./);
    expect(next_action).toContain(`GET /api/ai-workflows/status/${id}`);
  });

  it('keeps a short answer in the build, a long one in the artifact store', async () => {
    const { api, id } = await begun(0);
    const said = { steps: ['s'.repeat(5000)] };
    await api.post(PATH, bodyFor(id, 'discovery', { ai_response: said }));
    const sent = api.builds.executed.at(-1)?.message ?? {};
    expect(Buffer.byteLength(JSON.stringify(sent))).toBeLessThan(2000);
    const [turn] = api.heldBuild(id).build.conversation;
    const ref = turn?.aiResponse?.kind === 'artifact' ? turn.aiResponse.ref : null;
    expect(JSON.parse(String(await api.artifacts.get(ref?.sha256 ?? '')))).toEqual(said);
  });

  it('carries a large result by reference, and names every fault of it', async () => {
    const { api, id } = await begun(3);
    const phase_result = { ...RESULTS.testing, log: 'l'.repeat(5000) };
    const faulty = bodyFor(id, 'testing', { phase_result: { ...phase_result, test_coverage: 'much' } });
    expect(await api.post(PATH, faulty)).toMatchObject({
      status: 400,
      body: { code: 'invalid_phase_result', faults: [{ at: 'phase_result.test_coverage' }] },
    });
    expect((await api.post(PATH, bodyFor(id, 'testing', { phase_result }))).body.new_state).toBe('handoff_to_verifier');
    expect(api.heldBuild(id).build.results.testing?.full).toMatchObject({ bytes: JSON.stringify(phase_result).length });
  });
});

describe('complete-phase repeated with its key', () => {
  it('has the same answer and no second effect, also when the build went on', async () => {
    const { api, id } = await begun(0);
    const first = await api.post(PATH, bodyFor(id, 'discovery'), keyed);
    expect((await api.post(PATH, bodyFor(id, 'discovery'), keyed)).text).toBe(first.text);
    await complete(api, id, ['planning', 'implementation']);
    const later = await api.post(PATH, bodyFor(id, 'discovery'), keyed);
    expect([later.status, later.text]).toEqual([200, first.text]);
    expect(api.heldBuild(id).build.results).not.toHaveProperty('testing');
  });

  it('has the same answer when it parked the build', async () => {
    const { api, id } = await begun(5);
    const failed = bodyFor(id, 'deployment', { phase_result: { deployment_successful: false } });
    const first = await api.post(PATH, failed, keyed);
    expect(first.body).toMatchObject({ new_state: 'error', next_role: null });
    expect((await api.post(PATH, failed, keyed)).text).toBe(first.text);
  });

  it('is refused with other content, and for another call', async () => {
    const { api, id } = await begun(0);
    await api.post(PATH, bodyFor(id, 'discovery'), keyed);
    for (const more of [
      { ai_response: 'other' },
      { phase_result: RESULTS.planning },
      { completed_state: 'discovery' },
    ]) {
      const reused = await api.post(PATH, bodyFor(id, 'discovery', more), keyed);
      expect(reused).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    }
    const advance = { role: 'q_assistant', completed_state: 'planning', phase_result: RESULTS.planning };
    expect(await api.post(`/api/workflows/${id}/advance`, advance, keyed)).toMatchObject({ status: 422 });
  });
});

describe('complete-phase refused', () => {
  it('is 409 for a phase that is not the current one, also when the build moved on while it was asked', async () => {
    const { api, id } = await begun(1);
    const late = await api.post(PATH, bodyFor(id, 'discovery', { completed_state: 'discovery' }));
    expect(late).toMatchObject({ status: 409, body: { code: 'wrong_state', current_state: 'planning' } });
    const { status } = api.builds;
    const movedMeanwhile: typeof status = async (workflowId) => {
      const seen = await status(workflowId);
      await complete(api, id, ['planning']);
      return seen;
    };
    Object.assign(api.builds, { status: movedMeanwhile });
    const raced = await api.post(PATH, bodyFor(id, 'planning'));
    expect(raced).toMatchObject({ status: 409, body: { code: 'wrong_state', current_state: 'handoff_to_coder' } });
    expect(api.heldBuild(id).build.results).not.toHaveProperty('implementation');
  });

  it('is 409 in error and once the build is over', async () => {
    const { api, id } = await begun(5);
    await api.post(PATH, bodyFor(id, 'deployment', { phase_result: { deployment_successful: false } }));
    const parked = await api.post(PATH, bodyFor(id, 'deployment'));
    expect(parked).toMatchObject({ status: 409, body: { code: 'wrong_state', current_state: 'error' } });
    await api.post(`/api/workflows/${id}/abort`, { reason: 'enough' });
    expect(await api.post(PATH, bodyFor(id, 'deployment'))).toMatchObject({
      status: 409,
      body: { code: 'build_over' },
    });
  });

  it('lists every fault of the body', async () => {
    const { api, id } = await begun(0);
    const { status, body } = await api.post(PATH, { workflow_id: id, ai_response: ' ', completed_state: 'error' });
    const at = (body.faults as { at: string }[]).map((fault) => fault.at);
    expect([status, at.sort()]).toEqual([400, ['ai_response', 'completed_state', 'phase_result']]);
  });

  it('is 404 for a build that is not there, or not the caller’s', async () => {
    const { api } = await begun(0);
    expect(await api.post(PATH, bodyFor(UNKNOWN, 'discovery'))).toMatchObject({ status: 404 });
    const bound = await serve(readApiKeys('ann:secret-ann,bob(project=garden):secret-bob,eve(read-only):secret-eve'));
    const start = { project_id: 'shop', user_id: 'ann', requirements: 'x' };
    const as = (secret: string) => ({ authorization: `Bearer ${secret}` });
    const { body } = await bound.post('/api/ai-workflows/initialize', start, as('secret-ann'));
    const foreign = bodyFor(String(body.workflow_id), 'discovery');
    const refused = await bound.post(PATH, foreign, as('secret-bob'));
    const unknown = await bound.post(PATH, bodyFor(UNKNOWN, 'discovery'), as('secret-bob'));
    expect(refused.status).toBe(404);
    expect(refused.text.replaceAll(foreign.workflow_id, UNKNOWN)).toBe(unknown.text);
    expect(await bound.post(PATH, foreign, as('secret-eve'))).toMatchObject({ status: 403 });
  });

  it('is 503 when nobody can say which phase is meant, and changes nothing', async () => {
    const { api, id } = await begun(0);
    api.builds.silent = new AppError('no_worker', 'no worker', { retryAfterS: 5 });
    const reply = await api.post(PATH, bodyFor(id, 'discovery'));
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '5']);
    expect(api.builds.executed).toEqual([]);
    expect((await api.post(PATH, bodyFor(id, 'discovery', { completed_state: 'discovery' }))).status).toBe(200);
  });
});
