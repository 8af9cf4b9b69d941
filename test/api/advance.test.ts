import { describe, expect, it } from 'vitest';
import { advanceReply } from '../../src/api/replies.ts';
import { complete, RESULTS, serve } from './serve.ts';

const PHASES = ['discovery', 'planning', 'implementation', 'testing', 'verification', 'deployment'] as const;
const UNKNOWN = '00000000-0000-5000-8000-000000000000';
const DISCOVERY = { role: 'q_assistant', completed_state: 'discovery', phase_result: RESULTS.discovery };
const large = (more: Record<string, unknown>) => ({ ...more, blob: 'x'.repeat(5000) });

describe('advance', () => {
  it('answers with the state before, the state it led to and what was handed on', async () => {
    const api = await serve();
    const id = await api.startExternal();
    const reply = await api.post(`/api/workflows/${id}/advance`, DISCOVERY);
    expect(reply.status).toBe(200);
    expect(advanceReply.parse(reply.body)).toEqual({
      workflow_id: id,
      previous_state: 'discovery',
      new_state: 'planning',
      next_role: 'q_assistant',
      handoff_data: RESULTS.discovery,
      is_complete: false,
      state_description: expect.stringContaining('planning'),
    });
  });

  it('drives a build to its end with six calls', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, PHASES.slice(0, 5));
    const body = { role: 'release_manager', completed_state: 'deployment', phase_result: RESULTS.deployment };
    const last = await api.post(`/api/workflows/${id}/advance`, body);
    expect(last.body).toMatchObject({ new_state: 'complete', is_complete: true, next_role: null, handoff_data: {} });
  });

  it('acknowledges a handoff without a result', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery', 'planning']);
    const body = { role: 'code_writer', completed_state: 'handoff_to_coder' };
    const reply = await api.post(`/api/workflows/${id}/advance`, body);
    expect(reply.body).toMatchObject({ previous_state: 'handoff_to_coder', new_state: 'implementation' });
  });

  it('takes states and roles in either case', async () => {
    const api = await serve();
    const id = await api.startExternal();
    const body = { ...DISCOVERY, role: 'Q_ASSISTANT', completed_state: 'DISCOVERY', next_state: 'PLANNING' };
    expect((await api.post(`/api/workflows/${id}/advance`, body)).body.new_state).toBe('planning');
  });

  it('applies a call once that is repeated with its Idempotency-Key, and answers the same', async () => {
    const api = await serve();
    const id = await api.startExternal();
    const key = { 'idempotency-key': 'k-1' };
    const first = await api.post(`/api/workflows/${id}/advance`, DISCOVERY, key);
    const again = await api.post(`/api/workflows/${id}/advance`, DISCOVERY, key);
    expect(again.text).toBe(first.text);
    expect(again.status).toBe(200);
    expect(again.headers.get('idempotency-key')).toBe('k-1');
  });

  it('is 409 when it is repeated without a key', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await api.post(`/api/workflows/${id}/advance`, DISCOVERY);
    const again = await api.post(`/api/workflows/${id}/advance`, DISCOVERY);
    expect(again.body).toMatchObject({ status: 409, code: 'wrong_state', current_state: 'planning' });
    expect(again.body.allowed).toContain('advance as q_assistant with completed_state planning');
  });

  it('makes a key for a call that has none and answers with it, so that the call can be repeated', async () => {
    const api = await serve();
    const id = await api.startExternal();
    const first = await api.post(`/api/workflows/${id}/advance`, DISCOVERY);
    const key = { 'idempotency-key': String(first.headers.get('idempotency-key')) };
    expect((await api.post(`/api/workflows/${id}/advance`, DISCOVERY, key)).text).toBe(first.text);
  });

  it('refuses a key that was used for another operation', async () => {
    const api = await serve();
    const id = await api.startExternal();
    const key = { 'idempotency-key': 'k-1' };
    await api.post(`/api/workflows/${id}/advance`, DISCOVERY, key);
    const reply = await api.post(`/api/workflows/${id}/request-retry`, { reason: 'x' }, key);
    expect(reply.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });
});

describe('advance checks in the order', () => {
  it.each([
    ['no field', {}, ['role', 'completed_state']],
    ['no phase_result for a phase', { role: 'q_assistant', completed_state: 'discovery' }, ['phase_result']],
    ['an unknown role', { ...DISCOVERY, role: 'boss' }, ['role']],
    ['a state that nobody completes', { ...DISCOVERY, completed_state: 'error' }, ['completed_state']],
    ['an unknown next_state', { ...DISCOVERY, next_state: 'nowhere' }, ['next_state']],
    ['an unknown field', { ...DISCOVERY, actor: 'ceo' }, ['actor']],
    ['NUL in the result', { ...DISCOVERY, phase_result: { a: '\0' } }, ['phase_result.a']],
  ])('shape first: %s is 400, also for an unknown build', async (_what, body, places) => {
    const api = await serve();
    const reply = await api.post(`/api/workflows/${UNKNOWN}/advance`, body);
    expect(reply.body).toMatchObject({ status: 400, code: 'invalid_body' });
    expect((reply.body.faults as { at: string }[]).map(({ at }) => at)).toEqual(places);
    expect(api.builds.executed).toEqual([]);
  });

  it.each([
    ['a small', { all_tests_passed: 'yes' }],
    ['a large', large({ all_tests_passed: 'yes' })],
  ])('then the build: %s bad result for an unknown build is 404', async (_size, result) => {
    const api = await serve();
    const body = { role: 'test_auditor', completed_state: 'testing', phase_result: result };
    const reply = await api.post(`/api/workflows/${UNKNOWN}/advance`, body);
    expect(reply.body).toMatchObject({ status: 404, code: 'not_found' });
  });

  it.each([
    ['a small', { all_tests_passed: 'yes' }],
    ['a large', large({ all_tests_passed: 'yes' })],
  ])('then state and role: %s bad result in the wrong state is 409', async (_size, result) => {
    const api = await serve();
    const id = await api.startExternal();
    const body = { role: 'test_auditor', completed_state: 'testing', phase_result: result };
    const reply = await api.post(`/api/workflows/${id}/advance`, body);
    expect(reply.body).toMatchObject({ status: 409, code: 'wrong_state', current_state: 'discovery' });
  });

  it.each([
    ['a small', { all_tests_passed: 'yes' }],
    ['a large', large({ all_tests_passed: 'yes' })],
  ])('then the result: %s bad one is 400 with every fault', async (_size, result) => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery', 'planning', 'implementation']);
    const body = { role: 'test_auditor', completed_state: 'testing', phase_result: result };
    const reply = await api.post(`/api/workflows/${id}/advance`, body);
    expect(reply.body).toMatchObject({ status: 400, code: 'invalid_phase_result' });
    expect((reply.body.faults as { at: string }[]).map(({ at }) => at)).toEqual([
      'phase_result.all_tests_passed',
      'phase_result.test_coverage',
    ]);
  });

  it('a large bad result never counts, also of a phase of which no field is demanded', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery', 'planning']);
    const body = { role: 'code_writer', completed_state: 'implementation', phase_result: large({ files: 'none' }) };
    const reply = await api.post(`/api/workflows/${id}/advance`, body);
    expect(reply.body).toMatchObject({
      status: 400,
      code: 'invalid_phase_result',
      faults: [{ at: 'phase_result.files' }],
    });
    expect((await api.get(`/api/workflows/${id}/status`)).body.current_state).toBe('handoff_to_coder');
  });

  it.each([
    ['wrong_role', { ...DISCOVERY, role: 'code_writer' }],
    ['unexpected_next_state', { ...DISCOVERY, next_state: 'deployment' }],
  ])('%s is 409 and changes nothing', async (code, body) => {
    const api = await serve();
    const id = await api.startExternal();
    const reply = await api.post(`/api/workflows/${id}/advance`, body);
    expect(reply.body).toMatchObject({ status: 409, code, current_state: 'discovery' });
    expect(api.heldBuild(id).rows).toHaveLength(2);
  });
});

describe('a result over 4 kB', () => {
  it('is stored whole and travels as the fields of its verdict with a reference', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery', 'planning', 'implementation']);
    const result = large({ all_tests_passed: true, test_coverage: 91 });
    const body = { role: 'test_auditor', completed_state: 'testing', phase_result: result };
    const reply = await api.post(`/api/workflows/${id}/advance`, body);
    expect(reply.body.new_state).toBe('handoff_to_verifier');
    const message = api.builds.executed.at(-1)?.message ?? {};
    expect(message.phase_result).toEqual({ all_tests_passed: true, test_coverage: 91 });
    const { sha256 } = message.artifact as { sha256: string };
    expect(JSON.parse((await api.artifacts.get(sha256)).toString('utf8'))).toEqual(result);
    expect(JSON.stringify(message).length).toBeLessThan(1000);
  });

  it('may be a plain text where a text is a result', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery']);
    const body = { role: 'q_assistant', completed_state: 'planning', phase_result: 'p'.repeat(5000) };
    expect((await api.post(`/api/workflows/${id}/advance`, body)).body.new_state).toBe('handoff_to_coder');
    const [stored] = [...api.artifacts.contents.values()];
    expect(JSON.parse(String(stored))).toEqual({ plan: 'p'.repeat(5000) });
  });

  it('of exactly 4 kB of JSON travels whole', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await api.post(`/api/workflows/${id}/advance`, { ...DISCOVERY, phase_result: 'd'.repeat(4094) });
    expect(api.artifacts.contents.size).toBe(0);
    expect(api.heldBuild(id).build.results.discovery?.full).toBeNull();
  });
});
