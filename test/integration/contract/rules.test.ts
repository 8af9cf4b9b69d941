import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PHASES, ROLES } from '../../../src/machine/states.ts';
import { type Reply, startBody } from '../fixtures/api.ts';
import { CLAIMS, until } from '../fixtures/builds.ts';
import { startTestProduct, type TestProduct } from '../fixtures/product.ts';

type Json = Record<string, unknown>;

let product: TestProduct;
let test: TestProduct['test'];
let model: TestProduct['model'];
let api: TestProduct['api'];

beforeAll(async () => {
  product = await startTestProduct({ WORKFLOW_TIMEOUT: '900' });
  ({ test, model, api } = product);
});
afterAll(() => product?.stop());

const external = { external_roles: ROLES };
const at = (workflowId: string, call: string): string => `/api/workflows/${workflowId}/${call}`;
const statusOf = async (id: string): Promise<Json> => (await api.read(at(id, 'status'))).body;
const promptOf = (id: string): Promise<Reply> => api.post(`/api/ai-workflows/get-ai-prompt/${id}`, undefined);
const completePhase = (id: string, phase: string, more: Json = {}): Promise<Reply> =>
  api.post('/api/ai-workflows/complete-phase', {
    workflow_id: id,
    ai_response: `the answer of ${phase}`,
    phase_result: CLAIMS[phase]?.phase_result,
    ...more,
  });

/** A build of people that has completed the phases before this one. */
async function reached(phase: (typeof PHASES)[number]): Promise<string> {
  const id = await api.start(external);
  for (const done of PHASES.slice(0, PHASES.indexOf(phase))) {
    const { status, body } = await api.claim(id, done);
    if (status !== 200) throw new Error(JSON.stringify(body));
  }
  return id;
}

const STARTS = [
  ['POST /api/workflows/{project_id}/start', '/api/workflows/shop/start', { user_id: 'ann', ...external }],
  ['POST /api/ai-workflows/initialize', '/api/ai-workflows/initialize', { user_id: 'ann', project_id: 'shop' }],
  ['POST /chat/start-build-workflow', '/chat/start-build-workflow', { user_id: 'ann', project_id: 'shop' }],
] as const;

describe('requirements', () => {
  it.each(STARTS)('are a non-empty object or a non-empty string in %s', async (_call, path, body) => {
    for (const requirements of ['', '  ', {}, [], 7, null, true]) {
      const refused = await api.post(path, { ...body, build_id: randomUUID(), requirements });
      expect([requirements, refused.status, refused.body.faults]).toMatchObject([
        requirements,
        400,
        [{ at: 'requirements' }],
      ]);
    }
    for (const requirements of ['a slugifier', { goal: 'a slugifier' }]) {
      expect(await api.post(path, { ...body, build_id: randomUUID(), requirements })).toMatchObject({ status: 200 });
    }
  });

  it('instructions say who drives the next phase and how to take it over', async () => {
    const byModel = await api.post('/api/workflows/shop/start', startBody({ external_roles: ['test_auditor'] }));
    expect(byModel.body.instructions).toMatch(/The model drives discovery .*To take the phase over, POST .*\/advance/s);
    const byPeople = await api.post('/api/workflows/shop/start', startBody(external));
    expect(byPeople.body.instructions).toMatch(/waits for you.*POST .*\/advance/s);
  });
});

describe('order of checks', () => {
  const wrong = { role: 'chef', completed_state: 'testing', phase_result: {} };
  const untimely = { role: 'test_auditor', completed_state: 'testing', phase_result: {} };

  it('1. shape of the body and names: 400 with every fault, even for a build that is not there', async () => {
    const reply = await api.post(at(randomUUID(), 'advance'), { ...wrong, completed_state: 'cooking', more: 1 });
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_body' } });
    expect((reply.body.faults as Json[]).length).toBe(3);
  });

  it('2. the build exists: 404, before state and result are looked at', async () => {
    expect(await api.post(at(randomUUID(), 'advance'), untimely)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });

  it('3. it is open, state and role fit: 409 naming the state and what is allowed, before the result is looked at', async () => {
    const id = await reached('planning');
    const early = await api.post(at(id, 'advance'), untimely);
    expect(early).toMatchObject({ status: 409, body: { code: 'wrong_state', current_state: 'planning' } });
    expect(early.body.allowed).toEqual(expect.arrayContaining([expect.stringContaining('planning')]));
    const foreign = await api.post(at(id, 'advance'), { ...untimely, completed_state: 'planning' });
    expect(foreign).toMatchObject({ status: 409, body: { code: 'wrong_role', current_state: 'planning' } });
    await api.post(at(id, 'abort'), { reason: 'enough' });
    expect(await api.post(at(id, 'advance'), untimely)).toMatchObject({ status: 409, body: { code: 'build_over' } });
  });

  it("4. phase_result against the phase's schema: 400, and the build stays where it is", async () => {
    const id = await reached('testing');
    const result = { all_tests_passed: 'yes', test_coverage: 200 };
    const refused = await api.post(at(id, 'advance'), { ...untimely, phase_result: result });
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_phase_result' } });
    expect(refused.body.faults).toMatchObject([
      { at: 'phase_result.all_tests_passed' },
      { at: 'phase_result.test_coverage' },
    ]);
    expect(await statusOf(id)).toMatchObject({ current_state: 'handoff_to_tester' });
  });
});

describe('previous_state and new_state', () => {
  it('are the state before the call and the one it led to itself, before an automatic acknowledgement', async () => {
    const id = await api.start({ external_roles: ['q_assistant'] });
    await api.claim(id, 'discovery');
    const release = model.hold('implementation');
    expect((await api.claim(id, 'planning')).body).toMatchObject({
      previous_state: 'planning',
      new_state: 'handoff_to_coder',
      next_role: 'code_writer',
    });
    expect(await api.untilState(id, 'implementation')).toMatchObject({ driver: 'llm' });
    release();
    await api.post(at(id, 'abort'), { reason: 'seen' });
  });
});

describe('complete-phase', () => {
  it("always completes a phase: in a handoff state it acknowledges and completes the receiver's", async () => {
    const id = await reached('implementation');
    expect(await statusOf(id)).toMatchObject({ current_state: 'handoff_to_coder' });
    expect((await completePhase(id, 'implementation')).body).toMatchObject({
      previous_state: 'handoff_to_coder',
      new_state: 'handoff_to_tester',
      next_role: 'test_auditor',
      is_complete: false,
    });
    const { events } = (await api.get(at(id, 'history'))).body;
    const last = (events as Json[]).slice(-3).map(({ event_type }) => event_type);
    expect(last).toEqual(expect.arrayContaining(['handoff_acknowledged', 'phase_completed']));
  });

  it("get-ai-prompt gives the receiver's prompt in a handoff state and the failed phase's in error; 409 when it is over", async () => {
    const id = await reached('testing');
    const [system] = (await promptOf(id)).body.messages as { role: string; content: string }[];
    expect(system).toMatchObject({ role: 'system', content: expect.stringContaining('test_auditor') });
    for (const phase of ['testing', 'verification']) await api.claim(id, phase);
    const failed = { ...CLAIMS.deployment, completed_state: 'deployment' };
    await api.post(at(id, 'advance'), { ...failed, phase_result: { deployment_successful: false, notes: 'no space' } });
    expect(await statusOf(id)).toMatchObject({ current_state: 'error' });
    const [releaser] = (await promptOf(id)).body.messages as { content: string }[];
    expect(releaser?.content).toContain('release_manager');
    await api.post(at(id, 'abort'), { reason: 'enough' });
    expect(await promptOf(id)).toMatchObject({ status: 409, body: { code: 'build_over' } });
  });
});

describe('starting is idempotent', () => {
  it.each(STARTS)(
    '%s: the same content again returns the first answer, also after the end; other content is 409',
    async (_call, path, body) => {
      const request = { ...body, build_id: randomUUID(), requirements: { a: 1, b: 2 } };
      const first = await api.post(path, request);
      expect(await api.post(path, { ...request, requirements: { b: 2, a: 1 } })).toMatchObject({ body: first.body });
      await api.post(at(String(first.body.workflow_id), 'abort'), { reason: 'enough' });
      await api.untilOver(String(first.body.workflow_id));
      expect((await api.post(path, request)).body).toEqual(first.body);
      const other = await api.post(path, { ...request, requirements: { a: 2 } });
      expect(other).toMatchObject({ status: 409, body: { code: 'build_id_taken' } });
      expect(JSON.stringify(other.body)).not.toMatch(/ann|shop/);
    },
  );

  it('workflow_id is a UUIDv5 of build_id: whoever starts it, in whatever project', async () => {
    const { body } = await api.post('/api/workflows/shop/start', startBody(external));
    expect(body.workflow_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const elsewhere = await api.post('/api/workflows/other/start', startBody({ ...external, build_id: body.build_id }));
    expect(elsewhere).toMatchObject({ status: 409, body: { code: 'build_id_taken' } });
  });
});

describe('Idempotency-Key', () => {
  it('is honoured on every POST that changes a build; without one, a repeated advance is 409', async () => {
    const id = await reached('testing');
    const advance = { ...CLAIMS.testing, completed_state: 'testing' };
    const commands: [string, Json][] = [
      [at(id, 'advance'), advance],
      [at(id, 'request-retry'), { reason: 'again' }],
      [at(id, 'rollback'), { target_state: 'discovery', reason: 'another way' }],
      [
        '/api/ai-workflows/complete-phase',
        { workflow_id: id, ai_response: 'x', phase_result: CLAIMS.discovery?.phase_result },
      ],
      [at(id, 'abort'), { reason: 'enough' }],
    ];
    for (const [path, body] of commands) {
      const key = { 'Idempotency-Key': randomUUID() };
      const first = await api.post(path, body, key);
      const events = (await api.get(at(id, 'history'))).body.events as Json[];
      const again = await api.post(path, body, key);
      expect([path, again.status, again.body]).toEqual([path, 200, first.body]);
      expect(((await api.get(at(id, 'history'))).body.events as Json[]).length).toBe(events.length);
      if (path.endsWith('/advance')) expect((await api.post(path, body)).status).toBe(409);
    }
  });

  it('the last 100 keys live in the build', async () => {
    const id = await reached('planning');
    const key = { 'Idempotency-Key': 'the-first' };
    const body = { target_state: 'planning', reason: 'first' };
    const first = await api.post(at(id, 'rollback'), body, key);
    for (let n = 1; n < 100; n += 1) await api.post(at(id, 'rollback'), { target_state: 'planning', reason: `${n}` });
    expect((await api.post(at(id, 'rollback'), body, key)).body).toEqual(first.body);
  });
});

describe('status and history are consistent', () => {
  it('with what the caller did before, and say where the answer is from', async () => {
    const id = await api.start(external);
    for (const phase of PHASES) {
      const { body } = await api.claim(id, phase);
      const [status, history] = [await statusOf(id), (await api.get(at(id, 'history'))).body];
      expect(status).toMatchObject({ current_state: body.new_state });
      const types = (history.events as Json[]).map(({ event_type }) => event_type);
      expect(types.filter((type) => type === 'phase_completed').length).toBe(PHASES.indexOf(phase) + 1);
      expect((status.completed_phases as string[]).at(-1)).toBe(phase);
    }
    await api.untilOver(id);
  });

  it('history: oldest first, limit 50 by default and 500 at most for each list; handoff_count counts what is returned', async () => {
    const id = await reached('planning');
    for (let n = 0; n < 30; n += 1) await api.post(at(id, 'rollback'), { target_state: 'planning', reason: `${n}` });
    const { body } = await api.get(at(id, 'history'));
    const seqs = (body.events as { seq: number }[]).map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(body).toMatchObject({ handoff_count: 1, total_handoffs: 1, next_cursor: expect.any(String) });
    expect((await api.get(at(id, 'history?limit=500'))).body.next_cursor).toBeNull();
    expect(await api.get(at(id, 'history?limit=501'))).toMatchObject({
      status: 400,
      body: { faults: [{ at: 'limit' }] },
    });
  });
});

describe('deadline', () => {
  it('is the end of the remaining active time; null when waiting for a person', async () => {
    const waiting = await reached('planning');
    expect(await statusOf(waiting)).toMatchObject({ next_expectations: { role: 'q_assistant', deadline: null } });
    const release = model.hold('discovery');
    const id = await api.start();
    const { next_expectations } = await until('the model at work', async () => {
      const status = await statusOf(id);
      return (status.next_expectations as Json).deadline === null ? null : status;
    });
    const { created_at } = await statusOf(id);
    const leftMs = Date.parse(String((next_expectations as Json).deadline)) - Date.parse(String(created_at));
    expect(leftMs).toBeGreaterThan(890_000);
    expect(leftMs).toBeLessThan(960_000);
    await api.post(at(id, 'abort'), { reason: 'seen' });
    release();
  });

  it('in error next_expectations is the operator, the reason as the task, and no deadline', async () => {
    const id = await reached('deployment');
    const failed = { deployment_successful: false, notes: 'the disk is full' };
    await api.post(at(id, 'advance'), { ...CLAIMS.deployment, completed_state: 'deployment', phase_result: failed });
    expect((await statusOf(id)).next_expectations).toEqual({
      role: 'operator',
      task: expect.stringContaining('the disk is full'),
      deadline: null,
    });
  });
});

describe('durations and stats', () => {
  it('every build is exactly one of completed, in_progress, failed; an unknown project is 200 with zeros', async () => {
    const project = `stats-${randomUUID()}`;
    const start = async (): Promise<string> =>
      String((await api.post(`/api/workflows/${project}/start`, startBody(external))).body.workflow_id);
    const [done, cancelled, parked] = [await start(), await start(), await start(), await start()];
    for (const phase of PHASES) await api.claim(done, phase);
    await api.post(at(cancelled, 'abort'), { reason: 'enough' });
    for (const phase of PHASES.slice(0, 5)) await api.claim(parked, phase);
    const failed = { deployment_successful: false, notes: 'the disk is full' };
    await api.post(at(parked, 'advance'), {
      ...CLAIMS.deployment,
      completed_state: 'deployment',
      phase_result: failed,
    });
    const stats = await until('the mirror', async () => {
      const { body } = await api.get(`/api/workflows/project/${project}/stats`);
      return body.completed === 1 && body.failed === 2 && body.in_progress === 1 ? body : null;
    });
    expect(stats).toEqual({
      project_id: project,
      total_workflows: 4,
      completed: 1,
      in_progress: 1,
      failed: 2,
      average_duration: '0h 0m',
      success_rate: 33.3,
      most_common_failure_point: 'deployment',
      average_handoffs: 2.5,
    });
    expect((await api.get('/api/workflows/project/nobody/stats')).body).toEqual({
      project_id: 'nobody',
      total_workflows: 0,
      completed: 0,
      in_progress: 0,
      failed: 0,
      average_duration: '0h 0m',
      success_rate: 0,
      most_common_failure_point: null,
      average_handoffs: 0,
    });
  });
});

describe('large input', () => {
  it('a phase_result and an ai_response over 4 kB go to the artifact store, and the prompts still have them', async () => {
    const id = await api.start(external);
    const word = `w${randomUUID()}`;
    const result = { discovered_reqs: [`${word} ${'r'.repeat(6000)}`], success_criteria: ['it works'] };
    const reply = await completePhase(id, 'discovery', {
      ai_response: `${word} ${'a'.repeat(6000)}`,
      phase_result: result,
    });
    expect(reply.status).toBe(200);
    const prompt = JSON.stringify((await promptOf(id)).body.messages);
    expect(prompt).toContain(result.discovered_reqs[0]);
    expect(prompt).toContain(`${word} ${'a'.repeat(6000)}`);
    const { events } = await test.client.workflow.getHandle(id).fetchHistory();
    expect(JSON.stringify(events)).not.toContain('a'.repeat(5000));
  });
});
