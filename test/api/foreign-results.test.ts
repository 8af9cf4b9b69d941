import { expect, it } from 'vitest';
import { readApiKeys } from '../../src/api-keys.ts';
import { serve } from './serve.ts';

it("of a large result for a build that is not the caller's nothing is kept", async () => {
  const api = await serve({ keys: readApiKeys('ann:secret-of-ann,bob(project=other):secret-of-bob').keys });
  const as = (secret: string) => ({ authorization: `Bearer ${secret}` });
  const start = { build_id: 'b', user_id: 'ann', requirements: 'a slugifier', external_roles: ['q_assistant'] };
  const { body } = await api.post('/api/workflows/shop/start', start, as('secret-of-ann'));
  const advance = {
    role: 'q_assistant',
    completed_state: 'discovery',
    phase_result: { discovered_reqs: ['r'.repeat(10_000)], success_criteria: ['it works'] },
  };
  const path = `/api/workflows/${body.workflow_id}/advance`;
  expect((await api.post(path, advance, as('secret-of-bob'))).status).toBe(404);
  expect(api.artifacts.contents.size).toBe(0);
  expect((await api.post(path, advance, as('secret-of-ann'))).status).toBe(200);
  expect(api.artifacts.contents.size).toBe(1);
});
