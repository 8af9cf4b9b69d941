import { describe, expect, it } from 'vitest';
import { initializeReply } from '../../../src/api/ai-workflows/replies.ts';
import { chatStartReply } from '../../../src/api/replies.ts';
import { workflowIdOf } from '../../../src/api/workflow-id.ts';
import { readApiKeys } from '../../../src/api-keys.ts';
import { ROLES } from '../../../src/machine/states.ts';
import { serve } from '../serve.ts';

const BODY = { project_id: 'shop', user_id: 'ann', requirements: 'a slugifier' };
const STARTS = ['/api/ai-workflows/initialize', '/chat/start-build-workflow'] as const;
const withKey = (key: string, secret?: string): Record<string, string> => ({
  'idempotency-key': key,
  ...(secret ? { authorization: `Bearer ${secret}` } : {}),
});

describe('initialize', () => {
  it('starts a build of which every role is external, and answers with the first prompt and what to do', async () => {
    const api = await serve();
    const { status, body } = await api.post(STARTS[0], { ...BODY, build_id: 'b-1', model: 'gpt-4' });
    expect(status).toBe(200);
    const id = workflowIdOf('b-1');
    expect(initializeReply.parse(body)).toEqual({
      workflow_id: id,
      initial_state: 'discovery',
      system_prompt: expect.stringContaining(`POST /api/workflows/${id}/advance\n`),
      next_action: expect.stringContaining(`POST /api/ai-workflows/get-ai-prompt/${id}`),
    });
    expect(body.system_prompt).toMatch(/^You are the q_assistant of a software build, working on its discovery phase/);
    const { spec } = api.heldBuild(id).build;
    expect(spec).toMatchObject({ buildId: 'b-1', projectId: 'shop', userId: 'ann', model: 'gpt-4' });
    expect(spec.externalRoles).toEqual(ROLES);
  });

  it('refuses a model that is not configured', async () => {
    const api = await serve();
    const reply = await api.post(STARTS[0], { ...BODY, model: 'claude' });
    expect(reply).toMatchObject({ status: 400, body: { code: 'model_unavailable' } });
  });
});

describe('a start from a chat', () => {
  it('starts a build of models, and answers with its id and state', async () => {
    const api = await serve();
    const { status, body } = await api.post(STARTS[1], { ...BODY, build_id: 'b-1' });
    expect([status, chatStartReply.parse(body)]).toEqual([
      200,
      { workflow_id: workflowIdOf('b-1'), state: 'discovery' },
    ]);
    expect(api.heldBuild(workflowIdOf('b-1')).build.spec.externalRoles).toEqual([]);
  });
});

describe.each(STARTS)('%s', (path) => {
  it('with a build_id starts once: the same again is the same answer, other content is build_id_taken', async () => {
    const api = await serve();
    const first = await api.post(path, { ...BODY, build_id: 'b-1' });
    expect((await api.post(path, { ...BODY, build_id: 'b-1' })).text).toBe(first.text);
    const other = await api.post(path, { ...BODY, build_id: 'b-1', requirements: 'another' }, withKey('k-1'));
    expect(other).toMatchObject({ status: 409, body: { code: 'build_id_taken' } });
    expect(api.builds.started).toHaveLength(1);
  });

  it('without one starts as many builds as there are calls', async () => {
    const api = await serve();
    const replies = [await api.post(path, BODY), await api.post(path, BODY)];
    expect(new Set(replies.map(({ body }) => body.workflow_id)).size).toBe(2);
    expect(api.builds.started).toHaveLength(2);
  });

  it('without one is named by its key: the same again is the same build, other content is refused', async () => {
    const api = await serve();
    const first = await api.post(path, BODY, withKey('k-1'));
    expect(first.headers.get('idempotency-key')).toBe('k-1');
    expect((await api.post(path, BODY, withKey('k-1'))).text).toBe(first.text);
    for (const other of [
      { ...BODY, requirements: 'another' },
      { ...BODY, project_id: 'garden' },
      { ...BODY, user_id: 'bob' },
    ]) {
      const refused = await api.post(path, other, withKey('k-1'));
      expect(refused).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    }
    expect(api.builds.started).toHaveLength(1);
  });

  it('can be repeated with the key that it was answered with', async () => {
    const api = await serve();
    const first = await api.post(path, BODY);
    const key = String(first.headers.get('idempotency-key'));
    expect((await api.post(path, BODY, withKey(key))).text).toBe(first.text);
  });

  it('knows the key of another caller as another key, and a project that is not the caller’s as none', async () => {
    const api = await serve(readApiKeys('ann:secret-ann,bob(project=shop):secret-bob'));
    const anns = await api.post(path, BODY, withKey('k-1', 'secret-ann'));
    const bobs = await api.post(path, BODY, withKey('k-1', 'secret-bob'));
    expect([anns.status, bobs.status]).toEqual([200, 200]);
    expect(anns.body.workflow_id).not.toBe(bobs.body.workflow_id);
    const foreign = await api.post(path, { ...BODY, project_id: 'garden' }, withKey('k-2', 'secret-bob'));
    expect(foreign).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(api.builds.started).toHaveLength(2);
  });

  it('is told every fault of its body at once', async () => {
    const api = await serve();
    const { status, body } = await api.post(path, { project_id: '', requirements: {}, build_id: 7, colour: 'red' });
    const at = (body.faults as { at: string }[]).map((fault) => fault.at);
    expect([status, at.sort()]).toEqual([400, ['build_id', 'colour', 'project_id', 'requirements', 'user_id']]);
    const large = await api.post(path, { ...BODY, requirements: 'x'.repeat(300_000) });
    expect(large).toMatchObject({ status: 413, body: { faults: [{ at: 'requirements' }] } });
  });
});

it('a key that named a build for one kind of start names none for the other', async () => {
  const api = await serve();
  await api.post(STARTS[0], BODY, withKey('k-1'));
  expect(await api.post(STARTS[1], BODY, withKey('k-1'))).toMatchObject({ status: 422 });
});
