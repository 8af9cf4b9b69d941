import { describe, expect, it } from 'vitest';
import { listReply } from '../../src/api/list-replies.ts';
import { readApiKeys } from '../../src/api-keys.ts';
import { ROLES } from '../../src/machine/states.ts';
import { complete, NOW_MS, type Served, serve } from './serve.ts';

const UNKNOWN = '00000000-0000-5000-8000-000000000000';
const { keys } = readApiKeys(
  'all:secret-of-all,web(project=web):secret-of-web,two(project=web;project=shop;read-only):secret-of-two',
);
const as = (name: string) => ({ authorization: `Bearer secret-of-${name}` });

type Start = Readonly<{ project?: string; user?: string; headers?: Record<string, string> }>;

/** Starts a build, a second after the one before, and writes it to the mirror. */
async function start(api: Served, buildId: string, { project = 'shop', user = 'ann', headers = {} }: Start = {}) {
  api.clock.nowMs += 1000;
  const body = { build_id: buildId, user_id: user, requirements: 'a slugifier', external_roles: ROLES };
  const started = await api.post(`/api/workflows/${project}/start`, body, headers);
  const id = String(started.body.workflow_id);
  api.mirror.flush(api.heldBuild(id));
  return id;
}

async function list(api: Served, search = '', headers: Record<string, string> = {}) {
  const reply = await api.get(`/api/workflows${search}`, headers);
  if (reply.status !== 200) throw new Error(reply.text);
  return listReply.parse(reply.body);
}

const names = ({ workflows }: Awaited<ReturnType<typeof list>>): string[] => workflows.map((build) => build.build_id);

describe('the list of builds', () => {
  it('tells of each build where it is, how far, and what it waits for', async () => {
    const api = await serve();
    const id = await start(api, 'b1');
    await complete(api, id, ['discovery']);
    api.mirror.flush(api.heldBuild(id));
    api.clock.nowMs += 75 * 60_000;
    const at = new Date(NOW_MS + 1000).toISOString();
    expect(await list(api)).toEqual({
      workflows: [
        {
          workflow_id: id,
          build_id: 'b1',
          project_id: 'shop',
          user_id: 'ann',
          current_state: 'planning',
          current_role: 'q_assistant',
          next_role: 'q_assistant',
          status: 'in_progress',
          progress: { percentage: 17, completed: 1, total: 6 },
          attempt: 1,
          model: 'gpt-4',
          simulated: false,
          elapsed_time: '1h 15m',
          created_at: at,
          updated_at: at,
          completed_at: null,
          next_expectations: {
            role: 'q_assistant',
            task: 'Plan the components, the tests and the success criteria',
            deadline: null,
          },
        },
      ],
      next_cursor: null,
    });
  });

  it('is empty while the mirror knows no build', async () => {
    const api = await serve();
    expect(await list(api)).toEqual({ workflows: [], next_cursor: null });
  });

  it('begins with the newest build and goes on behind the cursor, losing and repeating none', async () => {
    const api = await serve();
    for (const name of ['b1', 'b2', 'b3', 'b4', 'b5']) await start(api, name);
    const first = await list(api, '?limit=2');
    expect(names(first)).toEqual(['b5', 'b4']);
    await start(api, 'b6');
    const second = await list(api, `?limit=2&cursor=${first.next_cursor}`);
    expect(names(second)).toEqual(['b3', 'b2']);
    const third = await list(api, `?limit=2&cursor=${second.next_cursor}`);
    expect(names(third)).toEqual(['b1']);
    expect(third.next_cursor).toBeNull();
  });

  it('gives fifty builds unless another limit is asked for', async () => {
    const api = await serve();
    for (let n = 0; n < 51; n += 1) await start(api, `b${n}`);
    expect((await list(api)).workflows).toHaveLength(50);
    expect((await list(api, '?limit=500')).workflows).toHaveLength(51);
  });

  it('is narrowed by project, person, state and status, alone and together, in upper and lower case', async () => {
    const api = await serve();
    const built = await start(api, 'built');
    await complete(api, built, ['discovery', 'planning', 'implementation', 'testing', 'verification', 'deployment']);
    api.mirror.flush(api.heldBuild(built));
    await start(api, 'other', { project: 'web' });
    await start(api, 'bens', { user: 'ben' });
    const found = async (search: string) => names(await list(api, search));
    expect(await found('?project_id=shop')).toEqual(['bens', 'built']);
    expect(await found('?user_id=ben')).toEqual(['bens']);
    expect(await found('?state=complete')).toEqual(['built']);
    expect(await found('?status=COMPLETE')).toEqual(['built']);
    expect(await found('?state=DISCOVERY&project_id=web')).toEqual(['other']);
    expect(await found('?status=In_Progress&project_id=shop&user_id=ann')).toEqual([]);
    expect(await found('?project_id=Shop')).toEqual([]);
  });

  it('shows a build that was aborted as its own status does, and what it took', async () => {
    const api = await serve();
    const id = await start(api, 'b1');
    api.clock.nowMs += 3_600_000;
    await api.post(`/api/workflows/${id}/abort`, { reason: 'not needed' });
    api.mirror.flush(api.heldBuild(id));
    api.clock.nowMs += 3_600_000;
    const { body } = await api.get(`/api/workflows/${id}/status`);
    const [listed] = (await list(api, '?status=cancelled&state=discovery')).workflows;
    const { user_id: _, ...facts } = listed ?? expect.fail('the build is not listed');
    expect(body).toMatchObject(facts);
    expect(facts).toMatchObject({ status: 'cancelled', elapsed_time: '1h 0m', completed_at: null, next_role: null });
    expect(await list(api, '?status=in_progress')).toMatchObject({ workflows: [] });
    expect((await api.get('/api/workflows/project/shop/stats')).body).toMatchObject({ in_progress: 0, failed: 1 });
  });
});

/** A cursor as this API writes them, with other content. */
const cursorOf = (content: unknown): string => Buffer.from(JSON.stringify(content)).toString('base64url');

describe('a list that is asked for wrongly', () => {
  it.each([
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=1e2', 'limit'],
    ['state=done', 'state'],
    ['state=', 'state'],
    ['status=failed', 'status'],
    ['project_id=', 'project_id'],
    ['user_id=%00', 'user_id'],
    ['cursor=', 'cursor'],
    ['cursor=xyz', 'cursor'],
    [`cursor=${cursorOf([1, 'x'])}`, 'cursor'],
    [`cursor=${cursorOf([-1, UNKNOWN])}`, 'cursor'],
    [`cursor=${cursorOf([1e300, UNKNOWN])}`, 'cursor'],
    [`cursor=${cursorOf([1, UNKNOWN, 2])}`, 'cursor'],
    ['page=2', 'page'],
    ['project_id[]=shop', 'project_id[]'],
  ])('with ?%s is 400', async (search, place) => {
    const api = await serve();
    const reply = await api.get(`/api/workflows?${search}`);
    expect(reply.body).toMatchObject({ status: 400, code: 'invalid_body' });
    expect((reply.body.faults as { at: string }[]).map(({ at }) => at)).toEqual([place]);
  });

  it.each(['project_id', 'state', 'status', 'user_id', 'limit', 'cursor'])('with %s twice is 400', async (name) => {
    const api = await serve();
    const reply = await api.get(`/api/workflows?${name}=1&${name}=1`);
    expect(reply.body.faults).toEqual([{ at: name, fault: 'must be given once' }]);
  });

  it('is told of every fault at once', async () => {
    const api = await serve();
    const reply = await api.get('/api/workflows?state=x&status=y&limit=z&cursor=q&page=2&user_id=a&user_id=b');
    const faults = reply.body.faults as { at: string }[];
    expect(faults.map(({ at }) => at).sort()).toEqual(['cursor', 'limit', 'page', 'state', 'status', 'user_id']);
  });
});

describe('the list of a key', () => {
  async function serveProjects() {
    const api = await serve({ keys });
    for (const project of ['shop', 'web', 'bank']) await start(api, `of-${project}`, { project, headers: as('all') });
    return api;
  }

  it('that is bound to projects has the builds of these alone', async () => {
    const api = await serveProjects();
    expect(names(await list(api, '', as('all')))).toEqual(['of-bank', 'of-web', 'of-shop']);
    expect(names(await list(api, '', as('web')))).toEqual(['of-web']);
    expect(names(await list(api, '', as('two')))).toEqual(['of-web', 'of-shop']);
    expect(names(await list(api, '?project_id=shop', as('two')))).toEqual(['of-shop']);
    expect(names(await list(api, '?user_id=ann&limit=1', as('two')))).toEqual(['of-web']);
  });

  it('of another project is empty, as of one that never was', async () => {
    const api = await serveProjects();
    const [foreign, unknown] = await Promise.all([
      api.get('/api/workflows?project_id=bank', as('web')),
      api.get('/api/workflows?project_id=none', as('web')),
    ]);
    expect([foreign.status, foreign.text]).toEqual([200, '{"workflows":[],"next_cursor":null}']);
    expect(unknown.text).toBe(foreign.text);
  });

  it('shows nothing to who has none', async () => {
    const api = await serveProjects();
    expect((await api.get('/api/workflows')).body).toMatchObject({ status: 401, code: 'unauthorized' });
  });
});

describe('the list while the mirror is away', () => {
  it.each(['refuses', 'hangs'] as const)('is 503 with Retry-After when it %s', async (mood) => {
    const api = await serve();
    api.mirror.mood = mood;
    for (const path of ['/api/workflows', '/api/workflows/project/shop/stats']) {
      const reply = await api.get(path);
      expect(reply.body).toMatchObject({ status: 503, code: 'mirror_unavailable' });
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(reply.text).not.toContain('10.1.2.3');
    }
  });
});
