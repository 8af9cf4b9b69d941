import { describe, expect, it } from 'vitest';
import { statusReply } from '../../src/api/replies.ts';
import { AppError } from '../../src/errors.ts';
import { applyCommand } from '../../src/machine/apply.ts';
import { complete, NOW_MS, serve } from './serve.ts';

const UNKNOWN = '00000000-0000-5000-8000-000000000000';
const noWorker = new AppError('no_worker', 'No worker answered in time.', { retryAfterS: 5 });
const away = new AppError('temporal_unreachable', 'Temporal does not answer.', { retryAfterS: 5 });
const at = new Date(NOW_MS).toISOString();

describe('status', () => {
  it('is the whole contract, from the workflow itself', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery', 'planning']);
    api.clock.nowMs += 75 * 60_000;
    const reply = await api.get(`/api/workflows/${id}/status`);
    expect(reply.status).toBe(200);
    expect(statusReply.parse(reply.body)).toEqual({
      workflow_id: id,
      build_id: 'build-1',
      project_id: 'shop',
      current_state: 'handoff_to_coder',
      current_role: 'q_assistant',
      next_role: 'code_writer',
      status: 'in_progress',
      state_description: expect.stringContaining('2 of 6 phases done (33 %)'),
      progress: { percentage: 33, completed: 2, total: 6 },
      completed_phases: ['discovery', 'planning'],
      attempt: 0,
      driver: 'external',
      simulated: false,
      model: 'gpt-4',
      tokens: 0,
      handoff_history: [
        expect.objectContaining({ from_state: 'discovery', to_state: 'planning', timestamp: at }),
        expect.objectContaining({ from_role: 'q_assistant', to_role: 'code_writer', to_state: 'handoff_to_coder' }),
      ],
      handoff_history_complete: true,
      elapsed_time: '1h 15m',
      created_at: at,
      updated_at: at,
      completed_at: null,
      release: null,
      next_expectations: { role: 'code_writer', task: 'Acknowledge the plan', deadline: null },
      source: 'workflow',
    });
  });

  it('joins the handoffs of the mirror with those not flushed yet, each once and in order', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery', 'planning']);
    api.mirror.flush(api.heldBuild(id));
    // The flush is not confirmed yet: the workflow still holds rows that the mirror has.
    api.heldBuild(id).flushedSeq = 2;
    await complete(api, id, ['implementation']);
    const reply = await api.get(`/api/workflows/${id}/status`);
    const handoffs = statusReply.parse(reply.body).handoff_history;
    expect(handoffs.map(({ to_state }) => to_state)).toEqual(['planning', 'handoff_to_coder', 'handoff_to_tester']);
    expect(reply.body).toMatchObject({ source: 'workflow', handoff_history_complete: true });
  });

  it('says that handoffs are missing when the mirror is away', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery']);
    api.mirror.flush(api.heldBuild(id));
    await complete(api, id, ['planning']);
    api.mirror.mood = 'refuses';
    const reply = await api.get(`/api/workflows/${id}/status`);
    expect(reply.body).toMatchObject({ current_state: 'handoff_to_coder', handoff_history_complete: false });
  });

  it('of a parked build expects the operator, with the reason as the task', async () => {
    const api = await serve();
    const id = await api.startExternal();
    const held = api.heldBuild(id);
    const work = { activeMs: 0, calls: [] };
    const parked = applyCommand(held.build, { type: 'fail', code: 'model_failed', reason: 'quota', work }, NOW_MS);
    if (!parked.ok) throw new Error(parked.refusal.message);
    held.build = parked.build;
    const reply = await api.get(`/api/workflows/${id}/status`);
    const next_expectations = { role: 'operator', task: 'quota', deadline: null };
    expect(reply.body).toMatchObject({ current_state: 'error', status: 'error', next_role: null, next_expectations });
  });
});

describe('status without the workflow', () => {
  it('comes from the mirror once the build is over, and its time stands still', async () => {
    const api = await serve();
    const id = await api.startExternal();
    api.clock.nowMs += 5 * 60_000;
    await complete(api, id, ['discovery', 'planning', 'implementation', 'testing', 'verification', 'deployment']);
    api.mirror.flush(api.heldBuild(id));
    api.clock.nowMs += 60 * 60_000;
    const reply = statusReply.parse((await api.get(`/api/workflows/${id}/status`)).body);
    expect(reply).toMatchObject({ source: 'mirror', status: 'complete', elapsed_time: '0h 5m' });
    expect(reply.handoff_history).toHaveLength(5);
    expect(reply.handoff_history_complete).toBe(true);
    expect(reply.completed_at).toBe(new Date(NOW_MS + 5 * 60_000).toISOString());
  });

  it('comes from the mirror when no worker answers, and its time goes on', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery']);
    api.mirror.flush(api.heldBuild(id));
    api.builds.silent = noWorker;
    api.clock.nowMs += 10 * 60_000;
    const reply = await api.get(`/api/workflows/${id}/status`);
    expect(statusReply.parse(reply.body)).toMatchObject({
      source: 'mirror',
      current_state: 'planning',
      elapsed_time: '0h 10m',
      handoff_history_complete: false,
    });
  });

  it('comes from the mirror when Temporal is away', async () => {
    const api = await serve();
    const id = await api.startExternal();
    api.mirror.flush(api.heldBuild(id));
    api.builds.fault = away;
    expect((await api.get(`/api/workflows/${id}/status`)).body.source).toBe('mirror');
  });

  it('comes from Temporal when the mirror does not know the build yet', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery', 'planning', 'implementation']);
    api.builds.silent = noWorker;
    const reply = await api.get(`/api/workflows/${id}/status`);
    expect(statusReply.parse(reply.body)).toMatchObject({
      source: 'temporal',
      build_id: 'build-1',
      project_id: 'shop',
      current_state: 'handoff_to_tester',
      status: 'in_progress',
      progress: { percentage: 50, completed: 3, total: 6 },
      attempt: null,
      handoff_history: [],
      handoff_history_complete: false,
    });
  });

  it.each(['terminated', 'cancelled', 'failed'] as const)(
    'reads cancelled when the execution was %s while the mirror says in_progress',
    async (ending) => {
      const api = await serve();
      const id = await api.startExternal();
      await complete(api, id, ['discovery']);
      api.mirror.flush(api.heldBuild(id));
      api.heldBuild(id).ending = ending;
      const reply = statusReply.parse((await api.get(`/api/workflows/${id}/status`)).body);
      expect(reply).toMatchObject({
        source: 'mirror',
        status: 'cancelled',
        current_state: 'planning',
        next_role: null,
      });
    },
  );

  it('reads cancelled when the execution was terminated and the mirror does not know it', async () => {
    const api = await serve();
    const id = await api.startExternal();
    api.heldBuild(id).ending = 'terminated';
    const reply = statusReply.parse((await api.get(`/api/workflows/${id}/status`)).body);
    expect(reply).toMatchObject({ source: 'temporal', status: 'cancelled', current_state: 'discovery' });
  });

  it('has the mirror follow a build that ended in Temporal alone, and no other', async () => {
    const api = await serve();
    const [unwritten, open, over] = [
      await api.startExternal('a'),
      await api.startExternal('b'),
      await api.startExternal('c'),
    ];
    api.mirror.flush(api.heldBuild(open));
    await api.post(`/api/workflows/${over}/abort`, { reason: 'enough' });
    api.mirror.flush(api.heldBuild(over));
    for (const id of [unwritten, open]) api.heldBuild(id).ending = 'terminated';
    for (const id of [unwritten, open, over]) {
      expect((await api.get(`/api/workflows/${id}/status`)).body.status).toBe('cancelled');
    }
    expect(api.ended).toEqual([unwritten, open]);
  });

  it('comes from Temporal when a reset has begun the build again and no worker answers', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, ['discovery']);
    const held = api.heldBuild(id);
    const { build } = held;
    await api.post(`/api/workflows/${id}/abort`, { reason: 'too early' });
    api.mirror.flush(held);
    Object.assign(held, { build, branch: 'second', ending: null });
    api.builds.silent = noWorker;
    const reply = await api.get(`/api/workflows/${id}/status`);
    expect(reply.body).toMatchObject({ source: 'temporal', status: 'in_progress', current_state: 'planning' });
  });

  it('comes from the mirror when Temporal has forgotten the build', async () => {
    const api = await serve();
    const id = await api.startExternal();
    await api.post(`/api/workflows/${id}/abort`, { reason: 'x' });
    api.mirror.flush(api.heldBuild(id));
    api.builds.builds.clear();
    const reply = await api.get(`/api/workflows/${id}/status`);
    expect(reply.body).toMatchObject({ source: 'mirror', status: 'cancelled' });
  });

  it('is 404 for a build that nobody knows', async () => {
    const api = await serve();
    expect((await api.get(`/api/workflows/${UNKNOWN}/status`)).body).toMatchObject({ status: 404, code: 'not_found' });
    expect((await api.get('/api/workflows/other-thing/status')).body).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('is 503 when neither can be asked', async () => {
    const api = await serve();
    const id = await api.startExternal();
    api.builds.fault = away;
    api.mirror.mood = 'refuses';
    const reply = await api.get(`/api/workflows/${id}/status`);
    expect(reply.body).toMatchObject({ status: 503, code: 'temporal_unreachable' });
    expect(reply.text).not.toContain('10.1.2.3');
  });

  it('is 503 when Temporal does not know it and the mirror cannot be asked', async () => {
    const api = await serve();
    api.mirror.mood = 'refuses';
    const reply = await api.get(`/api/workflows/${UNKNOWN}/status`);
    expect(reply.body).toMatchObject({ status: 503, code: 'mirror_unavailable' });
    expect(reply.headers.get('retry-after')).toBe('5');
  });
});
