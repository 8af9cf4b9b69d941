import { describe, expect, it } from 'vitest';
import type { ApiDeps } from '../../src/api/ports.ts';
import { startReply } from '../../src/api/replies.ts';
import { workflowIdOf } from '../../src/api/workflow-id.ts';
import { AppError } from '../../src/errors.ts';
import type { Providers } from '../../src/models.ts';
import { MODELS_BY_ROLE } from '../fakes/models-by-role.ts';
import { NO_SOURCES } from '../fakes/no-sources.ts';
import { serve } from './serve.ts';

const BODY = { build_id: 'b-1', user_id: 'ann', requirements: { goal: 'slugify', size: 1 } };
const START = '/api/workflows/shop/start';

const settingsWith = (providers: Providers): ApiDeps['settings'] => ({
  activeTimeoutMs: 1000,
  maxSendBacks: 3,
  coverageMin: 0,
  sources: NO_SOURCES,
  models: { byRole: MODELS_BY_ROLE, fallbacks: [], providers },
});

const OPENAI: Providers = { openai: { apiKey: 'sk-never-shown' } };

describe('a start', () => {
  it('answers with the build, who goes first and how to take the phase over', async () => {
    const api = await serve();
    const reply = await api.post(START, BODY);
    expect(reply.status).toBe(200);
    expect(startReply.parse(reply.body)).toEqual({
      workflow_id: workflowIdOf('b-1'),
      build_id: 'b-1',
      initial_state: 'discovery',
      status: 'started',
      current_role: 'q_assistant',
      next_role: 'q_assistant',
      instructions: expect.stringContaining(`/api/workflows/${workflowIdOf('b-1')}/advance`),
    });
    expect(reply.body.instructions).toContain('The model drives discovery');
  });

  it('hands the workflow everything that was asked for, with the defaults of the configuration', async () => {
    const api = await serve();
    await api.post(START, { ...BODY, metadata: { team: 'x' }, model: 'gpt-4o', external_roles: ['TEST_AUDITOR'] });
    expect(api.builds.started).toEqual([
      {
        workflowId: workflowIdOf('b-1'),
        buildId: 'b-1',
        projectId: 'shop',
        userId: 'ann',
        requirements: { kind: 'inline', value: BODY.requirements },
        metadata: { kind: 'inline', value: { team: 'x' } },
        model: 'gpt-4o',
        externalRoles: ['test_auditor'],
        coverageMin: 80,
        maxSendBacks: 3,
        activeTimeoutMs: 3_600_000,
        startDigest: expect.stringMatching(/^[0-9a-f]{32}$/),
        simulated: false,
        rules: 2,
      },
    ]);
  });

  it('says that it waits where the first role is external', async () => {
    const api = await serve();
    const reply = await api.post(START, { ...BODY, external_roles: ['q_assistant'] });
    expect(reply.body.instructions).toContain('waits for you');
  });

  it.each([
    [undefined, 80],
    [70, 80],
    [95, 95],
  ])('with coverage_min %s tests for %s per cent', async (coverageMin, expected) => {
    const api = await serve();
    await api.post(START, { ...BODY, coverage_min: coverageMin });
    expect(api.builds.started[0]?.coverageMin).toBe(expected);
  });

  it('stores requirements and metadata over 1 kB and sends a reference', async () => {
    const api = await serve();
    const requirements = 'r'.repeat(1100);
    await api.post(START, { ...BODY, requirements, metadata: { note: 'm'.repeat(1100) } });
    const spec = api.builds.started[0];
    expect(spec?.requirements.kind).toBe('artifact');
    expect(spec?.metadata?.kind).toBe('artifact');
    const sha256 = spec?.requirements.kind === 'artifact' ? spec.requirements.ref.sha256 : '';
    expect(JSON.parse((await api.artifacts.get(sha256)).toString('utf8'))).toBe(requirements);
  });

  it('takes requirements of exactly 256 kB', async () => {
    const api = await serve();
    const reply = await api.post(START, { ...BODY, requirements: 'r'.repeat(256 * 1024 - 2) });
    expect(reply.status).toBe(200);
  });

  it.each([
    [{ git_url: 'https://git.example/shop.git' }, { kind: 'git', url: 'https://git.example/shop.git', ref: null }],
    [
      { git_url: 'git@git.example:shop.git', ref: 'v1' },
      { kind: 'git', url: 'git@git.example:shop.git', ref: 'v1' },
    ],
    [
      { path: '/srv/shop', ref: null },
      { kind: 'path', path: '/srv/shop', ref: null },
    ],
  ])('hands on where the code comes from that the build begins with: %j', async (source, expected) => {
    const api = await serve({ settings: { ...settingsWith(OPENAI), sources: { ...NO_SOURCES, paths: 'any' } } });
    expect((await api.post(START, { ...BODY, source })).status).toBe(200);
    expect(api.builds.started[0]?.source).toEqual(expected);
  });

  it.each([
    ['/api/ai-workflows/initialize', {}],
    ['/chat/start-build-workflow', {}],
  ])('takes a source at %s too', async (path) => {
    const api = await serve();
    const source = { git_url: 'https://git.example/shop.git', ref: 'main' };
    expect((await api.post(path, { ...BODY, project_id: 'shop', source })).status).toBe(200);
    expect(api.builds.started[0]?.source).toEqual({ kind: 'git', url: source.git_url, ref: 'main' });
    expect((await api.post(path, { ...BODY, project_id: 'shop' })).body.code).toBe('build_id_taken');
  });

  it('has no source where it names none', async () => {
    const api = await serve();
    await api.post(START, { ...BODY, source: null });
    expect(api.builds.started[0]).not.toHaveProperty('source');
    // What was started before there were sources keeps its digest.
    expect(api.builds.started[0]?.startDigest).toBe('5336584e7aa2b53ad0ba118d48353ffd');
  });

  it('is refused with a path that the operator has not allowed, and says what to set', async () => {
    const api = await serve();
    const reply = await api.post(START, { ...BODY, source: { path: '/srv/shop' } });
    expect(reply.body).toMatchObject({ status: 400, code: 'source_refused', faults: [{ at: 'source.path' }] });
    expect(reply.body.detail).toContain('SOURCE_PATHS');
    expect(api.builds.started).toEqual([]);
  });

  it('is simulated when every model is', async () => {
    const api = await serve({ settings: settingsWith({ simulated: { baseUrl: 'http://127.0.0.1:1/v1' } }) });
    await api.post(START, BODY);
    expect(api.builds.started[0]?.simulated).toBe(true);
  });

  it('needs no model where people do everything', async () => {
    const api = await serve({ settings: settingsWith({}) });
    await expect(api.startExternal()).resolves.toBe(workflowIdOf('build-1'));
  });
});

describe('the same start again', () => {
  it('gives the first answer and starts nothing, whatever the order of keys', async () => {
    const api = await serve();
    const first = await api.post(START, BODY);
    const again = await api.post(START, {
      requirements: { size: 1, goal: 'slugify' },
      user_id: 'ann',
      build_id: 'b-1',
    });
    expect(again.status).toBe(200);
    expect(again.text).toBe(first.text);
    expect(api.builds.started).toHaveLength(1);
  });

  it('gives one build and equal answers to fifty callers at once', async () => {
    const api = await serve();
    const replies = await Promise.all(Array.from({ length: 50 }, () => api.post(START, BODY)));
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(api.builds.started).toHaveLength(1);
  });

  it('is remembered by the mirror when Temporal has forgotten it', async () => {
    const api = await serve();
    const first = await api.post(START, BODY);
    const workflowId = workflowIdOf('b-1');
    api.mirror.flush(api.heldBuild(workflowId));
    api.builds.builds.clear();
    expect((await api.post(START, BODY)).text).toBe(first.text);
    expect((await api.post(START, { ...BODY, user_id: 'bob' })).body.code).toBe('build_id_taken');
    expect(api.builds.started).toHaveLength(1);
  });

  it.each([
    ['another user', START, { user_id: 'bob' }],
    ['another project', '/api/workflows/other/start', {}],
    ['other requirements', START, { requirements: { goal: 'slugify', size: 2 } }],
    ['metadata', START, { metadata: { a: 1 } }],
    ['a model', START, { model: 'gpt-4' }],
    ['an external role', START, { external_roles: ['code_writer'] }],
    ['a minimum coverage', START, { coverage_min: 80 }],
    ['a source', START, { source: { git_url: 'https://git.example/shop.git' } }],
  ])('with %s is refused, and says nothing about whose it is', async (_what, path, change) => {
    const api = await serve();
    await api.post(START, BODY);
    const reply = await api.post(path, { ...BODY, ...change });
    expect(reply.status).toBe(409);
    expect(reply.body.code).toBe('build_id_taken');
    expect(reply.text).not.toContain('ann');
    expect(api.builds.started).toHaveLength(1);
  });

  it('counts external roles in any order and case as the same', async () => {
    const api = await serve();
    const first = await api.post(START, { ...BODY, external_roles: ['code_writer', 'TEST_AUDITOR'] });
    const again = await api.post(START, { ...BODY, external_roles: ['test_auditor', 'code_writer', 'CODE_WRITER'] });
    expect(again.text).toBe(first.text);
  });
});

describe('a start while a part is away', () => {
  it.each(['refuses', 'hangs'] as const)('goes on when the mirror %s', async (mood) => {
    const api = await serve();
    api.mirror.mood = mood;
    expect((await api.post(START, BODY)).status).toBe(200);
  });

  it('is 503 with Retry-After when Temporal is away', async () => {
    const api = await serve();
    api.builds.fault = new AppError('temporal_unreachable', 'Temporal does not answer.', { retryAfterS: 5 });
    const reply = await api.post(START, BODY);
    expect(reply.status).toBe(503);
    expect(reply.body.code).toBe('temporal_unreachable');
    expect(reply.headers.get('retry-after')).toBe('5');
  });
});
