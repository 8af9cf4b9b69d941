import { expect, it } from 'vitest';
import { aiStatusReply } from '../../../src/api/ai-workflows/replies.ts';
import { readApiKeys } from '../../../src/api-keys.ts';
import { AppError } from '../../../src/errors.ts';
import { PHASES } from '../../../src/machine/states.ts';
import { complete, type Served, serve } from '../serve.ts';

const statusOf = (api: Served, id: string, headers = {}) => api.get(`/api/ai-workflows/status/${id}`, headers);

it('tells state, percentage, completed phases and who acts next', async () => {
  const api = await serve();
  const id = await api.startExternal();
  await complete(api, id, ['discovery', 'planning']);
  const { status, body } = await statusOf(api, id);
  expect([status, aiStatusReply.parse(body)]).toEqual([
    200,
    {
      workflow_id: id,
      current_state: 'handoff_to_coder',
      progress: 33,
      completed_phases: ['discovery', 'planning'],
      next_role: 'code_writer',
      is_complete: false,
    },
  ]);
});

it('tells of the end, and of an end before completion', async () => {
  const api = await serve();
  const id = await api.startExternal();
  await complete(api, id, PHASES);
  api.mirror.flush(api.heldBuild(id));
  expect((await statusOf(api, id)).body).toMatchObject({ progress: 100, next_role: null, is_complete: true });
  const aborted = await api.startExternal('build-2');
  await api.post(`/api/workflows/${aborted}/abort`, { reason: 'enough' });
  api.mirror.flush(api.heldBuild(aborted));
  const told = (await statusOf(api, aborted)).body;
  expect(told).toMatchObject({ current_state: 'discovery', progress: 0, next_role: null, is_complete: false });
});

it('comes from the mirror when no worker answers, and is 503 when nobody knows', async () => {
  const api = await serve();
  const id = await api.startExternal();
  await complete(api, id, ['discovery']);
  api.mirror.flush(api.heldBuild(id));
  api.builds.silent = new AppError('no_worker', 'no worker', { retryAfterS: 5 });
  expect((await statusOf(api, id)).body).toMatchObject({ current_state: 'planning', progress: 17 });
  api.builds.fault = new AppError('temporal_unreachable', 'away', { retryAfterS: 5 });
  api.mirror.mood = 'refuses';
  expect(await statusOf(api, id)).toMatchObject({ status: 503, body: { code: 'temporal_unreachable' } });
});

it('hides a build that is not the caller’s', async () => {
  const api = await serve(readApiKeys('ann:secret-ann,bob(project=garden):secret-bob'));
  const start = { project_id: 'shop', user_id: 'ann', requirements: 'x' };
  const { body } = await api.post('/api/ai-workflows/initialize', start, { authorization: 'Bearer secret-ann' });
  const reply = await statusOf(api, String(body.workflow_id), { authorization: 'Bearer secret-bob' });
  expect(reply).toMatchObject({ status: 404, body: { code: 'not_found' } });
});
