import { describe, expect, it } from 'vitest';
import { abortReply, retryReply, rollbackReply } from '../../src/api/replies.ts';
import { AppError } from '../../src/errors.ts';
import { complete, NOW_MS, serve } from './serve.ts';

const UNKNOWN = '00000000-0000-5000-8000-000000000000';
const at = new Date(NOW_MS).toISOString();

describe('request-retry', () => {
  it('answers with the state before the call and the one the work went back to', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery', 'planning', 'implementation']);
    const reply = await api.post(`/api/workflows/${id}/request-retry`, { reason: 'too slow' });
    expect(reply.status).toBe(200);
    expect(retryReply.parse(reply.body)).toEqual({
      workflow_id: id,
      retry_requested: true,
      previous_state: 'handoff_to_tester',
      new_state: 'implementation',
      reason: 'too slow',
      timestamp: at,
    });
  });

  it('has nowhere to go from discovery', async () => {
    const api = await serve();
    const id = await api.startExternal();
    const reply = await api.post(`/api/workflows/${id}/request-retry`, { reason: 'x' });
    expect(reply.body).toMatchObject({ status: 409, code: 'nothing_before', current_state: 'discovery' });
  });

  it('is untimely in another state than the expected one', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery']);
    const body = { reason: 'x', expected_state: 'TESTING' };
    const reply = await api.post(`/api/workflows/${id}/request-retry`, body);
    expect(reply.body).toMatchObject({ status: 409, code: 'wrong_state', current_state: 'planning' });
  });
});

describe('rollback', () => {
  it('answers with the phase it went back to and who asked for it', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery', 'planning']);
    const body = { target_state: 'DISCOVERY', reason: 'forgot users' };
    const reply = await api.post(`/api/workflows/${id}/rollback`, body);
    expect(rollbackReply.parse(reply.body)).toEqual({
      workflow_id: id,
      rollback_successful: true,
      previous_state: 'handoff_to_coder',
      new_state: 'discovery',
      reason: 'forgot users',
      rolled_back_by: 'operator',
      timestamp: at,
    });
  });

  it.each([
    ['a handoff state', { target_state: 'handoff_to_coder', reason: 'x' }, ['target_state']],
    ['no state at all', { target_state: 7, reason: 'x' }, ['target_state']],
    ['an empty reason', { target_state: 'planning', reason: ' ' }, ['reason']],
    ['a reason of 4,001 characters', { target_state: 'planning', reason: 'r'.repeat(4001) }, ['reason']],
    ['nothing', {}, ['target_state', 'reason']],
  ])('with %s is 400', async (_what, body, places) => {
    const api = await serve();
    const id = await api.startExternal();
    const reply = await api.post(`/api/workflows/${id}/rollback`, body);
    expect(reply.body).toMatchObject({ status: 400, code: 'invalid_body' });
    expect((reply.body.faults as { at: string }[]).map((fault) => fault.at)).toEqual(places);
    expect(api.builds.executed).toEqual([]);
  });

  it('to a phase that is not reached is 409 and says which are', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery']);
    const reply = await api.post(`/api/workflows/${id}/rollback`, { target_state: 'testing', reason: 'x' });
    expect(reply.body).toMatchObject({ status: 409, code: 'not_reached' });
    expect(reply.body.allowed).toContain('rollback to discovery, planning');
  });
});

describe('abort', () => {
  it('ends the build in the state where it is', async () => {
    const api = await serve();
    const id = await api.startExternal();
    const reply = await api.post(`/api/workflows/${id}/abort`, { reason: 'budget' });
    expect(abortReply.parse(reply.body)).toEqual({
      workflow_id: id,
      aborted: true,
      previous_state: 'discovery',
      status: 'cancelled',
      reason: 'budget',
      timestamp: at,
    });
  });

  it('is followed by nothing: every command is 409', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await api.post(`/api/workflows/${id}/abort`, { reason: 'budget' });
    for (const [call, body] of [
      ['advance', { role: 'q_assistant', completed_state: 'discovery', phase_result: { a: 1 } }],
      ['request-retry', { reason: 'x' }],
      ['rollback', { target_state: 'discovery', reason: 'x' }],
      ['abort', { reason: 'x' }],
    ] as const) {
      const reply = await api.post(`/api/workflows/${id}/${call}`, body);
      expect(reply.body).toMatchObject({ status: 409, code: 'build_over', allowed: [] });
    }
  });
});

describe('a command', () => {
  it.each(['request-retry', 'abort'])('%s to an unknown build is 404', async (call) => {
    const api = await serve();
    const reply = await api.post(`/api/workflows/${UNKNOWN}/${call}`, { reason: 'x' });
    expect(reply.body).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('to something that is no build of ours never reaches Temporal', async () => {
    const api = await serve();
    const reply = await api.post('/api/workflows/nightly-report/abort', { reason: 'x' });
    expect(reply.body).toMatchObject({ status: 404, code: 'not_found' });
    expect(api.builds.executed).toEqual([]);
  });

  it('to a build that only the mirror remembers is 409 build_over', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await api.post(`/api/workflows/${id}/abort`, { reason: 'x' });
    api.mirror.flush(api.heldBuild(id));
    api.builds.builds.clear();
    const reply = await api.post(`/api/workflows/${id}/abort`, { reason: 'x' });
    expect(reply.body).toMatchObject({ status: 409, code: 'build_over', current_state: 'discovery', allowed: [] });
  });

  it('that no worker takes is 503, may be repeated with its key, and is sent once', async () => {
    const api = await serve();
    const id = await api.startExternal();
    const told = 'No worker took the command in time. It may still take effect.';
    api.builds.fault = new AppError('no_worker', told, { retryAfterS: 5 });
    const reply = await api.post(`/api/workflows/${id}/abort`, { reason: 'x' });
    expect(reply.body).toMatchObject({ status: 503, code: 'no_worker', detail: told });
    expect(reply.headers.get('retry-after')).toBe('5');
    expect(reply.headers.get('idempotency-key')).toMatch(/^[0-9a-f-]{36}$/);
    expect(api.builds.executed).toHaveLength(1);
  });

  it('works while the mirror is away', async () => {
    const api = await serve();
    const id = await api.startExternal();
    api.mirror.mood = 'refuses';
    const reply = await api.post(`/api/workflows/${id}/rollback`, { target_state: 'discovery', reason: 'x' });
    expect(reply.status).toBe(200);
  });

  it.each([
    ['an empty one', ''],
    ['one with a space', 'a b'],
    ['one of 201 characters', 'k'.repeat(201)],
  ])('with an Idempotency-Key that cannot be one (%s) is 400', async (_what, key) => {
    const api = await serve();
    const id = await api.startExternal();
    const reply = await api.post(`/api/workflows/${id}/abort`, { reason: 'x' }, { 'idempotency-key': key });
    expect(reply.body).toMatchObject({ status: 400, faults: [{ at: 'Idempotency-Key' }] });
    expect(api.builds.executed).toEqual([]);
  });
});
