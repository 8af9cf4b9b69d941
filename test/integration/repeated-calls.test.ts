import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PHASES, type Phase, ROLES } from '../../src/machine/states.ts';
import { type Caller, callerOf, type Reply, startBody } from './fixtures/api.ts';
import { CLAIMS, until } from './fixtures/builds.ts';
import { answerOf, COMPLETE_PHASE, eventsOf } from './fixtures/outside-agent.ts';
import { startProcess, type TestProcess } from './fixtures/process.ts';
import { startTestProduct, type TestProduct } from './fixtures/product.ts';

let product: TestProduct;
let test: TestProduct['test'];
let model: TestProduct['model'];
let api: TestProduct['api'];

beforeAll(async () => {
  product = await startTestProduct();
  ({ test, model, api } = product);
});
afterAll(() => product?.stop());

type Json = Record<string, unknown>;
const at = (workflowId: string, call: string): string => `/api/workflows/${workflowId}/${call}`;
const keyed = (key: string): Record<string, string> => ({ 'Idempotency-Key': key });

/** A build of people that has completed the phases before this one. */
async function reached(phase: Phase): Promise<string> {
  const id = await api.start({ external_roles: ROLES });
  for (const done of PHASES.slice(0, PHASES.indexOf(phase))) await api.claim(id, done);
  return id;
}

const initialize = { project_id: 'shop', user_id: 'ann', requirements: 'a function that doubles a number' };

describe('fifty starts at once from two API processes', () => {
  const processes: TestProcess[] = [];
  let callers: Caller[];
  beforeAll(async () => {
    for (let n = 0; n < 2; n += 1) processes.push(startProcess('src/server.ts', { ...test.env, LOG_LEVEL: 'warn' }));
    await Promise.all(processes.map((started) => started.says('The API is up on http')));
    callers = processes.map((started) => callerOf(/The API is up on (\S+)/.exec(started.output())?.[1] ?? ''));
  });
  afterAll(async () => {
    for (const started of processes) await started.kill();
  });

  it.each([
    ['/api/workflows/shop/start', () => startBody({ external_roles: ROLES }), {}],
    ['/api/ai-workflows/initialize', () => ({ ...initialize, build_id: randomUUID() }), {}],
    ['/api/ai-workflows/initialize', () => initialize, keyed(randomUUID())],
    ['/chat/start-build-workflow', () => initialize, keyed(randomUUID())],
  ] as const)('with %s are one workflow and fifty equal answers', async (path, bodyOf, headers) => {
    const release = model.hold('discovery');
    const body = bodyOf();
    const started = Array.from({ length: 50 }, (_, n) => callers[n % 2]?.repeat(path, body, headers));
    const replies = (await Promise.all(started)).filter((reply) => reply !== undefined);
    expect(replies).toHaveLength(50);
    for (const reply of replies) expect([reply.status, reply.body]).toEqual([200, replies[0]?.body]);
    const id = String(replies[0]?.body.workflow_id);
    expect((await eventsOf(api, id)).map(({ event_type }) => event_type)).toEqual(['build_started', 'phase_started']);
    const listed = test.client.workflow.list({ query: `WorkflowId = '${id}'` });
    const runs = await until('the list', async () => {
      const found = [];
      for await (const run of listed) found.push(run.runId);
      return found.length > 0 ? found : null;
    });
    expect(runs).toHaveLength(1);
    release();
    await api.post(at(id, 'abort'), { reason: 'seen' });
  });
});

type Repeatable = Readonly<{
  call: string;
  from: Phase;
  path(id: string): string;
  body(id: string): Json;
  other: Json;
}>;

const CALLS: readonly Repeatable[] = [
  {
    call: 'advance',
    from: 'testing',
    path: (id) => at(id, 'advance'),
    body: () => ({ ...CLAIMS.testing, completed_state: 'testing' }),
    other: { phase_result: { all_tests_passed: true, test_coverage: 96 } },
  },
  {
    call: 'complete-phase',
    from: 'testing',
    path: () => COMPLETE_PHASE,
    body: (id) => answerOf(id, 'testing'),
    other: { ai_response: 'other words' },
  },
  {
    call: 'complete-phase with a large answer and result',
    from: 'discovery',
    path: () => COMPLETE_PHASE,
    body: (id) =>
      answerOf(id, 'discovery', {
        ai_response: ['a'.repeat(9000)],
        phase_result: { discovered_reqs: ['r'.repeat(9000)], success_criteria: [] },
      }),
    other: { ai_response: ['b'.repeat(9000)] },
  },
  {
    call: 'request-retry',
    from: 'testing',
    path: (id) => at(id, 'request-retry'),
    body: () => ({ reason: 'again' }),
    other: { reason: 'for another reason' },
  },
  {
    call: 'rollback',
    from: 'testing',
    path: (id) => at(id, 'rollback'),
    body: () => ({ target_state: 'planning', reason: 'another way' }),
    other: { target_state: 'discovery' },
  },
];

describe('a call repeated with its Idempotency-Key', () => {
  it.each(CALLS)('$call: has the same answer and no second effect, also after the build went on', async (one) => {
    const id = await reached(one.from);
    const key = keyed(randomUUID());
    const send = (more: Json = {}): Promise<Reply> => api.post(one.path(id), { ...one.body(id), ...more }, key);
    const first = await send();
    expect([first.status, first.body.detail]).toEqual([200, undefined]);
    const before = (await eventsOf(api, id)).length;
    const again = await send();
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect(again.headers.get('idempotency-key')).toBe(key['Idempotency-Key']);
    expect(await send(one.other)).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(await eventsOf(api, id)).toHaveLength(before);

    await api.post(at(id, 'rollback'), { target_state: 'discovery', reason: 'the build goes on' });
    await api.claim(id, 'discovery');
    const later = await send();
    expect([later.status, later.body]).toEqual([200, first.body]);
    expect(await send(one.other)).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect((await api.get(at(id, 'status'))).body).toMatchObject({ current_state: 'planning' });

    await api.post(at(id, 'abort'), { reason: 'enough' });
    await api.untilOver(id);
    const over = await send();
    expect([over.status, over.body]).toEqual([200, first.body]);
  });

  it('the last complete-phase and abort: have the same answer after the end that they brought', async () => {
    for (const [path, bodyOf] of [
      [() => COMPLETE_PHASE, (id: string) => answerOf(id, 'deployment')],
      [(id: string) => at(id, 'abort'), () => ({ reason: 'enough' })],
    ] as const) {
      const id = await reached('deployment');
      const key = keyed(randomUUID());
      const first = await api.post(path(id), bodyOf(id), key);
      expect(first.status).toBe(200);
      await api.untilOver(id);
      const again = await api.post(path(id), bodyOf(id), key);
      expect([again.status, again.body]).toEqual([200, first.body]);
    }
  });

  it.each(['/api/ai-workflows/initialize', '/chat/start-build-workflow'])(
    '%s: is the same build, also after its end; other content is refused',
    async (path) => {
      const key = keyed(randomUUID());
      const first = await api.post(path, initialize, key);
      const id = String(first.body.workflow_id);
      const again = () => api.post(path, initialize, key);
      const other = () => api.post(path, { ...initialize, requirements: 'another' }, key);
      for (const end of [false, true]) {
        if (end) await api.post(at(id, 'abort'), { reason: 'enough' });
        if (end) await api.untilOver(id);
        expect([(await again()).status, (await again()).body]).toEqual([200, first.body]);
        expect(await other()).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
      }
    },
  );
});
