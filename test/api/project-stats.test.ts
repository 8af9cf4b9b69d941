import { describe, expect, it } from 'vitest';
import { statsReply } from '../../src/api/list-replies.ts';
import type { ProjectFigures } from '../../src/api/ports.ts';
import { readApiKeys } from '../../src/api-keys.ts';
import { figuresOf } from '../fakes/fake-lists.ts';
import { createFakeMirror } from '../fakes/fake-mirror.ts';
import { complete, RESULTS, type Served, serve } from './serve.ts';

const PHASES = ['discovery', 'planning', 'implementation', 'testing', 'verification', 'deployment'] as const;
const ZEROS = {
  total_workflows: 0,
  completed: 0,
  in_progress: 0,
  failed: 0,
  average_duration: '0h 0m',
  success_rate: 0,
  most_common_failure_point: null,
  average_handoffs: 0,
};

async function stats(api: Served, project = 'shop', headers: Record<string, string> = {}) {
  const reply = await api.get(`/api/workflows/project/${project}/stats`, headers);
  if (reply.status !== 200) throw new Error(reply.text);
  return statsReply.parse(reply.body);
}

type Known = Readonly<{ [K in keyof ProjectFigures]?: Partial<ProjectFigures[K]> }>;

/** The stats of a project of which the mirror has these figures. */
async function statsOf({ builds, failures, completeMs = 0, handoffs = 0 }: Known) {
  const none = figuresOf([], 'none');
  const known = { builds: { ...none.builds, ...builds }, failures: { ...none.failures, ...failures } };
  const projectFigures = async () => ({ completeMs, handoffs, ...known });
  return stats(await serve({ mirror: { ...createFakeMirror(), projectFigures } }));
}

describe('the stats of a project', () => {
  it('are those of all its builds', async () => {
    const api = await serve();
    const built = await api.startExternal('built');
    api.clock.nowMs += 135 * 60_000;
    await complete(api, built, PHASES);
    const rejected = await api.startExternal('rejected');
    await complete(api, rejected, ['discovery', 'planning', 'implementation']);
    const red = { ...RESULTS.testing, all_tests_passed: false };
    const answer = { role: 'test_auditor', completed_state: 'testing', phase_result: red };
    await api.post(`/api/workflows/${rejected}/advance`, answer);
    const aborted = await api.startExternal('aborted');
    await api.post(`/api/workflows/${aborted}/abort`, { reason: 'not needed' });
    for (const id of [built, rejected, aborted]) api.mirror.flush(api.heldBuild(id));
    expect(await stats(api)).toEqual({
      project_id: 'shop',
      total_workflows: 3,
      completed: 1,
      in_progress: 1,
      failed: 1,
      average_duration: '2h 15m',
      success_rate: 50,
      most_common_failure_point: 'testing',
      average_handoffs: 3,
    });
  });

  it('of a project that has no build are zeros', async () => {
    const api = await serve();
    expect(await stats(api, 'none')).toEqual({ project_id: 'none', ...ZEROS });
  });

  it('of another key’s project are zeros too', async () => {
    const { keys } = readApiKeys('all:secret-of-all,web(project=web):secret-of-web');
    const api = await serve({ keys });
    const body = { build_id: 'b1', user_id: 'ann', requirements: 'a slugifier' };
    const headers = { authorization: 'Bearer secret-of-all' };
    const started = await api.post('/api/workflows/shop/start', body, headers);
    api.mirror.flush(api.heldBuild(String(started.body.workflow_id)));
    expect(await stats(api, 'shop', headers)).toMatchObject({ total_workflows: 1 });
    const foreign = { authorization: 'Bearer secret-of-web' };
    expect(await stats(api, 'shop', foreign)).toEqual({ project_id: 'shop', ...ZEROS });
  });

  it('count every build once: parked and cancelled ones as failed', async () => {
    const found = await statsOf({ builds: { in_progress: 4, error: 2, complete: 3, cancelled: 1 } });
    expect(found).toMatchObject({ total_workflows: 10, completed: 3, in_progress: 4, failed: 3, success_rate: 50 });
  });

  it.each([
    [1, 2, 33.3],
    [2, 1, 66.7],
    [1, 7, 12.5],
    [3, 0, 100],
    [0, 3, 0],
    [1999, 1, 100],
    [1, 1999, 0.1],
  ])('have the success rate of %i completed and %i failed with one decimal: %f', async (done, failed, rate) => {
    expect(await statsOf({ builds: { complete: done, error: failed } })).toMatchObject({ success_rate: rate });
  });

  it('have no success rate to speak of while no build has ended', async () => {
    expect(await statsOf({ builds: { in_progress: 5 } })).toMatchObject({ success_rate: 0, average_duration: '0h 0m' });
  });

  it('average over the builds: handoffs of all, the duration of those that are complete', async () => {
    const builds = { complete: 3, in_progress: 4 };
    const found = await statsOf({ builds, handoffs: 17, completeMs: 3 * 90 * 60_000 + 2 });
    expect(found).toMatchObject({ average_handoffs: 2.4, average_duration: '1h 30m' });
  });

  it('name the phase that failed most often, of equals the earlier', async () => {
    expect(await statsOf({ failures: { testing: 2, deployment: 3 } })).toMatchObject({
      most_common_failure_point: 'deployment',
    });
    expect(await statsOf({ failures: { verification: 2, planning: 2, testing: 1 } })).toMatchObject({
      most_common_failure_point: 'planning',
    });
    expect(await statsOf({ failures: {} })).toMatchObject({ most_common_failure_point: null });
  });
});

describe('the address of the stats', () => {
  it.each(['status', 'history', 'events', 'stats', 'project', 'start', 'a%2Fb', '%C3%A4'])(
    'is none of a build’s, also of a project called %s',
    async (project) => {
      const api = await serve();
      const body = { build_id: 'b1', user_id: 'ann', requirements: 'a slugifier' };
      const started = await api.post(`/api/workflows/${project}/start`, body);
      api.mirror.flush(api.heldBuild(String(started.body.workflow_id)));
      expect(await stats(api, project)).toMatchObject({ project_id: decodeURIComponent(project), total_workflows: 1 });
    },
  );

  it('takes no address from a build', async () => {
    const api = await serve();
    const id = await api.startExternal();
    expect((await api.get(`/api/workflows/${id}/status`)).body).toMatchObject({ workflow_id: id, project_id: 'shop' });
    for (const call of ['status', 'history']) {
      expect((await api.get(`/api/workflows/project/${call}`)).body).toMatchObject({ status: 404, code: 'not_found' });
    }
    expect((await api.get('/api/workflows/project/stats')).body).toMatchObject({ status: 404, code: 'not_found' });
    expect((await api.post('/api/workflows/project/shop/stats', {})).body).toMatchObject({ status: 405 });
  });

  it('with a name that no project can have is 400', async () => {
    const api = await serve();
    const reply = await api.get(`/api/workflows/project/${'x'.repeat(201)}/stats`);
    expect(reply.body).toMatchObject({ status: 400, code: 'invalid_body', faults: [{ at: 'project_id' }] });
  });
});
