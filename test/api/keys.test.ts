import crypto, { randomUUID } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAuthenticate } from '../../src/api/keys.ts';
import { readApiKeys } from '../../src/api-keys.ts';
import { AppError } from '../../src/errors.ts';
import { type ExampleCall, exampleCalls } from './example-calls.ts';
import { rawCall } from './raw-call.ts';
import { type Served, serve } from './serve.ts';

const { keys } = readApiKeys(
  'all:secret-of-all,web(project=web):secret-of-web,eye(read-only):secret-of-eye,look(read-only;project=web):secret-of-look',
);
const as = (name: string) => ({ authorization: `Bearer secret-of-${name}`, 'idempotency-key': 'once' });
const CALLS = exampleCalls();
const BUILD_CALLS = CALLS.filter(({ namesBuild }) => namesBuild);
const AWAY = new AppError('temporal_unreachable', 'Temporal is away', { retryAfterS: 5 });

async function startIn(api: Served, project: string, buildId: string): Promise<string> {
  const body = { build_id: buildId, user_id: 'ann', requirements: 'a slugifier', external_roles: ['q_assistant'] };
  const started = await api.post(`/api/workflows/${project}/start`, body, as('all'));
  if (started.status !== 200) throw new Error(started.text);
  return String(started.body.workflow_id);
}

/** All that a caller sees of an answer, but for the id that it asked about itself. */
async function seen(api: Served, call: ExampleCall, id: string, key: string) {
  const { status, headers, text } = await api.send(call.path(id), call.init(id, as(key)));
  const { 'x-request-id': _, date: __, ...rest } = Object.fromEntries(headers);
  return { status, headers: rest, text: text.replaceAll(id, 'ID') };
}

const SITUATIONS: readonly [what: string, status: number, arrange: (api: Served, foreign: string) => void][] = [
  ['that is not in the mirror yet', 404, () => undefined],
  ['that the mirror knows', 404, (api, foreign) => api.mirror.flush(api.heldBuild(foreign))],
  [
    'that only the mirror knows any more',
    404,
    (api, foreign) => {
      api.mirror.flush(api.heldBuild(foreign));
      api.builds.builds.delete(foreign);
    },
  ],
  [
    'while the mirror is away',
    503,
    (api) => {
      api.mirror.mood = 'refuses';
    },
  ],
  [
    'while Temporal is away',
    503,
    (api, foreign) => {
      api.mirror.flush(api.heldBuild(foreign));
      api.builds.fault = AWAY;
    },
  ],
  [
    'while both are away',
    503,
    (api) => {
      api.mirror.mood = 'refuses';
      api.builds.fault = AWAY;
    },
  ],
];

describe('a key that is bound to projects', () => {
  describe.each(SITUATIONS)('asks about a foreign build %s', (_what, status, arrange) => {
    it.each(BUILD_CALLS)('by $operationId, and hears byte for byte what it hears about none', async (call) => {
      const api = await serve({ keys });
      const foreign = await startIn(api, 'shop', 'b-1');
      arrange(api, foreign);
      const mirror = vi.spyOn(api.mirror, 'findBuild');
      const temporal = vi.spyOn(api.builds, 'describe');
      const lookUps = () => [mirror, temporal].map(({ mock }) => mock.calls.splice(0).length);

      const ofForeign = await seen(api, call, foreign, 'web');
      const ofForeignLookUps = lookUps();
      const ofNone = await seen(api, call, randomUUID(), 'web');
      expect(ofForeign.status).toBe(status);
      expect(ofForeign).toEqual(ofNone);
      expect(ofForeignLookUps).toEqual(lookUps());
      expect(api.builds.executed).toEqual([]);
    });
  });

  it.each([
    ['in the mirror', (api: Served, own: string) => api.mirror.flush(api.heldBuild(own))],
    ['in Temporal alone', () => undefined],
    [
      'in Temporal while the mirror is away',
      (api: Served) => {
        api.mirror.mood = 'refuses';
      },
    ],
    [
      'in the mirror while Temporal is away',
      (api: Served, own: string) => {
        api.mirror.flush(api.heldBuild(own));
        api.builds.fault = AWAY;
      },
    ],
  ])('sees its own build %s', async (_where, arrange) => {
    const api = await serve({ keys });
    const own = await startIn(api, 'web', 'b-1');
    arrange(api, own);
    const reply = await api.get(`/api/workflows/${own}/status`, as('web'));
    expect(reply).toMatchObject({ status: 200, body: { project_id: 'web' } });
  });

  it('steers its own build while the mirror is away', async () => {
    const api = await serve({ keys });
    const own = await startIn(api, 'web', 'b-1');
    api.mirror.mood = 'hangs';
    const reply = await api.post(`/api/workflows/${own}/abort`, { reason: 'enough' }, as('web'));
    expect(reply).toMatchObject({ status: 200, body: { aborted: true } });
  });

  it.each(CALLS.filter(({ route, namesBuild }) => route.changes && !namesBuild))(
    'starts by $operationId in its own projects alone; a foreign one answers like one that never was',
    async (call) => {
      const api = await serve({ keys });
      await startIn(api, 'shop', 'b-1');
      const startIn2 = (project: string) => api.send(call.path('', project), call.init('', as('web'), project));
      const [foreign, none] = [await startIn2('shop'), await startIn2('nowhere')];
      expect(foreign).toMatchObject({ status: 404, body: { code: 'not_found' } });
      expect(foreign.text.replaceAll('shop', 'P')).toBe(none.text.replaceAll('nowhere', 'P'));
      expect(api.builds.started).toHaveLength(1);
      expect((await startIn2('web')).status).toBe(200);
    },
  );
});

describe('a key that may only read', () => {
  const changing = CALLS.filter(({ route }) => route.method === 'post' && !route.reads);
  it.each(changing)('is refused by $operationId before any of the body has come', async (call) => {
    const api = await serve({ keys });
    const id = await startIn(api, 'web', 'b-1');
    for (const key of ['eye', 'look']) {
      const headers = { ...as(key), 'content-type': 'application/json', 'content-length': '100' };
      const reply = await rawCall(api.server.port, call.path(id, 'web'), { method: 'POST', headers });
      expect([reply.status, JSON.parse(reply.text).code]).toEqual([403, 'read_only_key']);
      expect(reply.text).not.toContain('secret-of');
    }
    expect(api.builds.started).toHaveLength(1);
    expect(api.builds.executed).toEqual([]);
  });

  const reading = BUILD_CALLS.filter(({ route }) => (route.method === 'get' && route.kind === 'reply') || route.reads);
  it.each(reading)('may make the call $operationId', async (call) => {
    const api = await serve({ keys });
    const id = await startIn(api, 'web', 'b-1');
    api.mirror.flush(api.heldBuild(id));
    for (const key of ['eye', 'look']) expect((await seen(api, call, id, key)).status).toBe(200);
  });

  it('has no say in what exists: a route that is not there is 404 for it too', async () => {
    const api = await serve({ keys });
    expect((await api.post('/api/nothing', {}, as('eye'))).status).toBe(404);
  });
});

describe('a secret', () => {
  it.each(['secret-of-all', 'secret-of-look', 'secret-of-nobody', ''])(
    '%j is compared with that of every key, in constant time',
    (secret) => {
      const compare = vi.spyOn(crypto, 'timingSafeEqual');
      // Whoever imported the function by its name has the new one from here on.
      syncBuiltinESMExports();
      onTestFinished(() => {
        compare.mockRestore();
        syncBuiltinESMExports();
      });
      const authenticate = createAuthenticate(keys);
      try {
        authenticate(`Bearer ${secret}`);
      } catch (error) {
        expect(error).toMatchObject({ code: 'unauthorized' });
      }
      expect(compare).toHaveBeenCalledTimes(keys.length);
      for (const [known, given] of compare.mock.calls) expect([known.byteLength, given.byteLength]).toEqual([32, 32]);
    },
  );
});
