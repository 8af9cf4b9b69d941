import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PHASES, ROLES } from '../../src/machine/states.ts';
import { type Caller, startBody, startTestApi } from './fixtures/api.ts';
import { until } from './fixtures/builds.ts';
import { historyFigures } from './fixtures/history-figures.ts';
import type { OwnStack } from './fixtures/own-stack.ts';
import { startOwnProduct, type TestProduct } from './fixtures/product.ts';
import { startTestWorker } from './fixtures/worker.ts';
import { startWire } from './mirror/wire.ts';

let product: TestProduct<OwnStack>;
let test: OwnStack;
let model: TestProduct['model'];
let api: TestProduct['api'];

beforeAll(async () => {
  product = await startOwnProduct();
  ({ test, model, api } = product);
});
afterAll(() => product?.stop());

const external = { external_roles: ROLES };
const at = (workflowId: string, call: string): string => `/api/workflows/${workflowId}/${call}`;
type Row = Record<string, unknown>;
const rows = (list: unknown): Row[] => list as Row[];

async function query(text: string, ...values: string[]): Promise<Row[]> {
  const client = new pg.Client(test.databaseUrl);
  await client.connect();
  const found = await client.query(text, values);
  await client.end();
  return found.rows;
}

describe('a build by models', () => {
  it('runs from start to complete, and status and history tell of it', async () => {
    const body = startBody();
    const started = await api.post('/api/workflows/shop/start', body);
    expect(started).toMatchObject({
      status: 200,
      body: { build_id: body.build_id, initial_state: 'discovery', status: 'started', current_role: 'q_assistant' },
    });
    const id = String(started.body.workflow_id);
    const status = await api.untilState(id, 'complete');
    expect(status).toMatchObject({
      workflow_id: id,
      project_id: 'shop',
      status: 'complete',
      current_role: 'release_manager',
      progress: { percentage: 100, completed: 6, total: 6 },
      completed_phases: PHASES,
      next_expectations: { role: null, deadline: null },
      elapsed_time: '0h 0m',
    });
    const history = (await api.get(at(id, 'history'))).body;
    expect(history).toMatchObject({ handoff_count: 5, total_handoffs: 5, next_cursor: null });
    expect(rows(history.handoffs).map(({ from_role, to_role }) => `${from_role} → ${to_role}`)).toEqual([
      'q_assistant → q_assistant',
      'q_assistant → code_writer',
      'code_writer → test_auditor',
      'test_auditor → verification_overseer',
      'verification_overseer → release_manager',
    ]);
    const events = rows(history.events);
    expect(events.map(({ id: eventId }) => eventId)).toEqual(
      Array.from({ length: 18 }, (_, index) => `1.${index + 1}`),
    );
    expect([events[0]?.event_type, events.at(-1)?.event_type]).toEqual(['build_started', 'completed']);
    expect(rows(status.handoff_history)).toEqual(rows(history.handoffs));
  });

  it('is told of by the workflow while it runs and by the mirror when it is over', async () => {
    const build_id = `sources-${Math.random()}`;
    const release = model.hold('planning', build_id);
    const id = await api.start({ build_id });
    expect(await api.untilState(id, 'planning')).toMatchObject({ source: 'workflow', driver: 'llm' });
    release();
    const over = await api.untilOver(id);
    expect(over).toMatchObject({ current_state: 'complete', handoff_history_complete: true });
    expect(rows(over.handoff_history)).toHaveLength(5);
  });
});

describe('the history', () => {
  it('comes in pages, in which each row is once, also when some of it is not in the mirror yet', async () => {
    const id = await api.start(external);
    for (const phase of PHASES.slice(0, 4)) await api.claim(id, phase);
    const seen: { events: unknown[]; handoffs: unknown[] } = { events: [], handoffs: [] };
    let cursor: unknown = null;
    let pages = 0;
    do {
      const more = cursor === null ? '' : `&cursor=${cursor}`;
      const { status, body } = await api.get(at(id, `history?limit=3${more}`));
      expect(status).toBe(200);
      expect(rows(body.events).length).toBeLessThanOrEqual(3);
      expect(body.handoff_count).toBe(rows(body.handoffs).length);
      expect(body.total_handoffs).toBe(4);
      seen.events.push(...rows(body.events).map(({ seq }) => seq));
      seen.handoffs.push(...rows(body.handoffs).map(({ to_state }) => to_state));
      cursor = body.next_cursor;
      pages += 1;
    } while (cursor !== null);
    expect(pages).toBeGreaterThan(2);
    expect(seen.events).toEqual(seen.events.map((_, index) => index + 1));
    expect(seen.handoffs).toEqual(['planning', 'handoff_to_coder', 'handoff_to_tester', 'handoff_to_verifier']);
    expect((await api.get(at(id, 'history?limit=0'))).body.code).toBe('invalid_body');
    expect((await api.get(at(id, 'history?limit=501'))).status).toBe(400);
    expect((await api.get(at(id, 'history?cursor=nonsense'))).status).toBe(400);
  });
});

describe('starting', () => {
  it('with other content under the same build_id is refused, and says nothing of whose it is', async () => {
    const body = startBody({ ...external, requirements: { a: 1, b: { c: 2, d: 3 } } });
    const first = await api.post('/api/workflows/shop/start', body);
    const reordered = { ...body, requirements: { b: { d: 3, c: 2 }, a: 1 } };
    expect((await api.post('/api/workflows/shop/start', reordered)).body).toEqual(first.body);
    for (const [project, changed] of [
      ['shop', { ...body, requirements: 'something else' }],
      ['shop', { ...body, user_id: 'bob' }],
      ['another', body],
    ] as const) {
      const refused = await api.post(`/api/workflows/${project}/start`, changed);
      expect(refused).toMatchObject({ status: 409, body: { code: 'build_id_taken' } });
      expect(refused.headers.get('content-type')).toContain('application/problem+json');
      expect(JSON.stringify(refused.body)).not.toMatch(/ann|shop|doubles/);
    }
  });

  it('again after the end gives the first answer, and starts nothing', async () => {
    const body = startBody(external);
    const first = await api.post('/api/workflows/shop/start', body);
    const id = String(first.body.workflow_id);
    await api.post(at(id, 'abort'), { reason: 'enough' });
    await api.untilOver(id);
    expect((await api.post('/api/workflows/shop/start', body)).body).toEqual(first.body);
    expect((await api.get(at(id, 'status'))).body).toMatchObject({ status: 'cancelled', current_state: 'discovery' });
    const changed = await api.post('/api/workflows/shop/start', { ...body, user_id: 'bob' });
    expect(changed).toMatchObject({ status: 409, body: { code: 'build_id_taken' } });
  });
});

describe('a build driven from outside', () => {
  it('ends with six calls', async () => {
    const id = await api.start(external);
    const replies = [];
    for (const phase of PHASES) replies.push(await api.claim(id, phase));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(replies.map(({ body }) => `${body.previous_state} → ${body.new_state}`)).toEqual([
      'discovery → planning',
      'planning → handoff_to_coder',
      'handoff_to_coder → handoff_to_tester',
      'handoff_to_tester → handoff_to_verifier',
      'handoff_to_verifier → handoff_to_releaser',
      'handoff_to_releaser → complete',
    ]);
    expect(replies[1]?.body).toMatchObject({
      next_role: 'code_writer',
      is_complete: false,
      handoff_data: { plan: 'one function' },
    });
    expect(replies[5]?.body).toMatchObject({ next_role: null, is_complete: true, handoff_data: {} });
    const again = await api.claim(id, 'deployment');
    expect(again).toMatchObject({ status: 409, body: { code: 'build_over' } });
  });

  it('takes a command once, however often it is sent with the same Idempotency-Key', async () => {
    const id = await api.start(external);
    const key = { 'Idempotency-Key': 'my-key-1' };
    const first = await api.claim(id, 'discovery', key);
    const second = await api.claim(id, 'discovery', key);
    expect(second).toMatchObject({ status: 200, body: first.body });
    expect(second.headers.get('idempotency-key')).toBe('my-key-1');
    const keyless = await api.claim(id, 'discovery');
    expect(keyless).toMatchObject({ status: 409, body: { code: 'wrong_state', current_state: 'planning' } });
    const other = { role: 'q_assistant', completed_state: 'discovery', phase_result: { discovered_reqs: ['other'] } };
    expect(await api.post(at(id, 'advance'), other, key)).toMatchObject({ status: 422 });
    const reused = await api.post(at(id, 'request-retry'), { reason: 'again' }, key);
    expect(reused).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    await api.claim(id, 'planning');
    expect((await api.claim(id, 'discovery', key)).body).toEqual(first.body);
    const { body } = await api.get(at(id, 'status'));
    expect(body).toMatchObject({ current_state: 'handoff_to_coder', completed_phases: ['discovery', 'planning'] });
  });

  it('answers request-retry, rollback and abort with where the build was and is', async () => {
    const id = await api.start(external);
    await api.claim(id, 'discovery');
    const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(await api.post(at(id, 'request-retry'), { reason: 'think again' })).toMatchObject({
      status: 200,
      body: {
        workflow_id: id,
        retry_requested: true,
        previous_state: 'planning',
        new_state: 'discovery',
        reason: 'think again',
        timestamp,
      },
    });
    for (const phase of PHASES.slice(0, 3)) await api.claim(id, phase);
    const early = await api.post(at(id, 'rollback'), { target_state: 'deployment', reason: 'x' });
    expect(early).toMatchObject({ status: 409, body: { code: 'not_reached', current_state: 'handoff_to_tester' } });
    const noPhase = await api.post(at(id, 'rollback'), { target_state: 'handoff_to_coder', reason: 'x' });
    expect(noPhase).toMatchObject({ status: 400, body: { code: 'invalid_body', faults: [{ at: 'target_state' }] } });
    expect(await api.post(at(id, 'rollback'), { target_state: 'PLANNING', reason: 'wrong way' })).toMatchObject({
      status: 200,
      body: {
        workflow_id: id,
        rollback_successful: true,
        previous_state: 'handoff_to_tester',
        new_state: 'planning',
        reason: 'wrong way',
        rolled_back_by: 'operator',
        timestamp,
      },
    });
    expect(await api.post(at(id, 'abort'), { reason: 'enough' })).toMatchObject({
      status: 200,
      body: {
        workflow_id: id,
        aborted: true,
        previous_state: 'planning',
        status: 'cancelled',
        reason: 'enough',
        timestamp,
      },
    });
    expect(await api.claim(id, 'planning')).toMatchObject({ status: 409, body: { code: 'build_over' } });
  });

  it('may hand on 100 kB: they go to the artifact store, and no payload of the history is over 32 kB', async () => {
    const word = `w${Math.random()}`;
    const large = { discovered_reqs: [word.repeat(Math.ceil(100_000 / word.length))], success_criteria: ['it works'] };
    const id = await api.start({ ...external, requirements: { text: 'r'.repeat(100_000) } });
    const advance = { role: 'q_assistant', completed_state: 'discovery', phase_result: large };
    expect((await api.post(at(id, 'advance'), advance)).status).toBe(200);
    for (const phase of PHASES.slice(1)) expect((await api.claim(id, phase)).status).toBe(200);
    const figures = await historyFigures(test.client.workflow.getHandle(id));
    expect(figures.largestPayloadBytes).toBeLessThanOrEqual(32_000);
    const folder = test.config.artifactsDir;
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
    const sizes = files.map((path) => statSync(path)).filter((file) => file.isFile());
    expect(sizes.map(({ size }) => size)).toContain(Buffer.byteLength(JSON.stringify(large)));
  });
});

describe('without a worker', () => {
  it('a command is 503 no_worker, and its repetition with the same key has the one effect', async () => {
    const id = await api.start(external);
    await until('the first flush', async () => (await query('select from build_workflows where id = $1', id))[0]);
    await product.stopWorker();
    const key = { 'Idempotency-Key': 'no-worker-1' };
    const refused = await api.claim(id, 'discovery', key);
    expect(refused).toMatchObject({ status: 503, body: { code: 'no_worker' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('idempotency-key')).toBe('no-worker-1');
    expect((await api.get(at(id, 'status'))).body).toMatchObject({ source: 'mirror', current_state: 'discovery' });
    const fresh = await api.start(external);
    expect((await api.get(at(fresh, 'status'))).body).toMatchObject({
      source: 'temporal',
      current_state: 'discovery',
      status: 'in_progress',
      attempt: null,
    });
    await product.startWorker();
    const repeated = await until('the effect', async () => {
      const reply = await api.claim(id, 'discovery', key);
      return reply.status === 503 ? null : reply;
    });
    expect(repeated).toMatchObject({ status: 200, body: { previous_state: 'discovery', new_state: 'planning' } });
    const { events } = (await api.get(at(id, 'history'))).body;
    expect(rows(events).filter(({ event_type }) => event_type === 'phase_completed')).toHaveLength(1);
    expect(await api.untilState(fresh, 'discovery')).toMatchObject({ source: 'workflow' });
  });
});

describe('without Postgres', () => {
  it('builds start, run, are steered and tell where they are; the mirror has all of it once it is back', async () => {
    const wire = await startWire(test.databaseUrl);
    await product.stopWorker();
    const through = { ...test, databaseUrl: wire.url };
    const worker = await startTestWorker(through, model);
    const cutOff = await startTestApi(through);
    const steered = await cutOff.start(external);
    await cutOff.claim(steered, 'discovery');
    wire.cut();
    const driven = await cutOff.start();
    expect(await cutOff.claim(steered, 'planning')).toMatchObject({
      status: 200,
      body: { new_state: 'handoff_to_coder' },
    });
    const retry = await cutOff.post(at(steered, 'request-retry'), { reason: 'another plan' });
    expect(retry).toMatchObject({ status: 200, body: { previous_state: 'handoff_to_coder', new_state: 'planning' } });
    expect((await cutOff.get(at(steered, 'status'))).body).toMatchObject({
      source: 'workflow',
      current_state: 'planning',
    });
    // It has done everything but the last write: the run stays open until the mirror has it.
    expect(await cutOff.untilState(driven, 'complete')).toMatchObject({
      source: 'workflow',
      handoff_history_complete: true,
    });
    const history = await cutOff.get(at(driven, 'history'));
    expect(rows(history.body.events)).toHaveLength(18);
    expect(await query('select from workflow_events where workflow_id = $1', driven)).toEqual([]);
    expect((await cutOff.get('/readyz')).body).toEqual({ status: 'not_ready', temporal: true, mirror: false });
    wire.mend();
    await cutOff.untilOver(driven);
    const events = await query('select seq from workflow_events where workflow_id = $1 order by seq', driven);
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 18 }, (_, index) => index + 1));
    await cutOff.close();
    await worker.close();
    await wire.stop();
    await product.startWorker();
  });
});

describe('without Temporal', () => {
  async function expectAway(away: Caller, id: string): Promise<void> {
    for (const call of [
      () => away.post('/api/workflows/shop/start', startBody(external)),
      () => away.claim(id, 'discovery'),
      () => away.get(at('00000000-0000-5000-8000-000000000000', 'status')),
    ]) {
      const reply = await call();
      expect(reply).toMatchObject({ status: 503, body: { code: 'temporal_unreachable' } });
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await away.get(at(id, 'status'))).toMatchObject({ status: 200, body: { source: 'mirror' } });
    expect((await away.get('/readyz')).body).toEqual({ status: 'not_ready', temporal: false, mirror: true });
    expect(await away.get('/healthz')).toMatchObject({ status: 200 });
  }

  const flushedBuild = async (): Promise<string> => {
    const id = await api.start(external);
    await until('the first flush', async () => (await query('select from build_workflows where id = $1', id))[0]);
    return id;
  };

  it('that refuses, calls are 503 soon and the mirror tells what it knows', async () => {
    const id = await flushedBuild();
    const away = await startTestApi({ ...test, temporalAddress: '127.0.0.1:1' });
    await expectAway(away, id);
    await away.close();
  });

  it('that hangs, it is the same, and all goes on when it answers again', async () => {
    const id = await flushedBuild();
    const pid = test.stack.embedded.temporalPid() ?? 0;
    process.kill(pid, 'SIGSTOP');
    try {
      await expectAway(api, id);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const reply = await until('an answer', async () => {
      const claimed = await api.claim(id, 'discovery', { 'Idempotency-Key': 'after the pause'.replaceAll(' ', '-') });
      return claimed.status === 503 ? null : claimed;
    });
    expect(reply).toMatchObject({ status: 200, body: { new_state: 'planning' } });
  });
});
