import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../../src/api/routes.ts';
import { ROLES } from '../../../src/machine/states.ts';
import { startBody } from '../fixtures/api.ts';
import { CLAIMS } from '../fixtures/builds.ts';
import { startTestProduct, type TestProduct } from '../fixtures/product.ts';

type Json = Record<string, unknown>;
type Row = Readonly<{
  call: `${'GET' | 'POST'} /${string}`;
  /** Fields of the body by the table; `?` for those that may be missing. */
  body?: readonly string[];
  /** Fields of the reply by the table. */
  reply?: readonly string[];
  /** A valid body for a build, which the call brings forward or ends. */
  send?: (workflowId: string) => Json;
  /** What the path names where it is no build. */
  project?: true;
}>;

const requirements = 'a function that doubles a number';
const completed = { completed_state: 'discovery', phase_result: CLAIMS.discovery?.phase_result };

/** The design's API table, call by call. */
const TABLE: readonly Row[] = [
  {
    call: 'POST /api/workflows/{project_id}/start',
    body: ['build_id', 'user_id', 'requirements', 'metadata?', 'model?', 'external_roles?', 'coverage_min?'],
    reply: ['workflow_id', 'build_id', 'initial_state', 'status', 'current_role', 'next_role', 'instructions'],
    send: () => startBody({ metadata: { ticket: 1 }, model: 'gpt-4', external_roles: ROLES, coverage_min: 90 }),
    project: true,
  },
  {
    call: 'POST /api/workflows/{workflow_id}/advance',
    body: ['role', 'completed_state', 'phase_result', 'next_state?'],
    reply: [
      'workflow_id',
      'previous_state',
      'new_state',
      'next_role',
      'handoff_data',
      'is_complete',
      'state_description',
    ],
    send: () => ({ role: 'q_assistant', ...completed, next_state: 'planning' }),
  },
  {
    call: 'GET /api/workflows/{workflow_id}/status',
    reply: [
      'workflow_id',
      'build_id',
      'project_id',
      'current_state',
      'current_role',
      'progress',
      'completed_phases',
      'handoff_history',
      'elapsed_time',
      'created_at',
      'updated_at',
      'completed_at',
      'next_expectations',
      'status',
      'source',
    ],
  },
  {
    call: 'POST /api/workflows/{workflow_id}/request-retry',
    body: ['reason'],
    reply: ['workflow_id', 'retry_requested', 'previous_state', 'new_state', 'reason', 'timestamp'],
    send: () => ({ reason: 'think again' }),
  },
  {
    call: 'POST /api/workflows/{workflow_id}/rollback',
    body: ['target_state', 'reason'],
    reply: [
      'workflow_id',
      'rollback_successful',
      'previous_state',
      'new_state',
      'reason',
      'rolled_back_by',
      'timestamp',
    ],
    send: () => ({ target_state: 'discovery', reason: 'another way' }),
  },
  {
    call: 'POST /api/workflows/{workflow_id}/abort',
    body: ['reason'],
    reply: ['workflow_id', 'aborted', 'previous_state', 'status', 'reason', 'timestamp'],
    send: () => ({ reason: 'enough' }),
  },
  {
    call: 'GET /api/workflows/{workflow_id}/history',
    reply: ['workflow_id', 'handoff_count', 'total_handoffs', 'handoffs', 'events', 'next_cursor'],
  },
  { call: 'GET /api/workflows/{workflow_id}/events' },
  { call: 'GET /api/workflows', reply: ['workflows', 'next_cursor'] },
  {
    call: 'GET /api/workflows/project/{project_id}/stats',
    reply: [
      'project_id',
      'total_workflows',
      'completed',
      'in_progress',
      'failed',
      'average_duration',
      'success_rate',
      'most_common_failure_point',
      'average_handoffs',
    ],
    project: true,
  },
  { call: 'GET /api/workflows/project/{project_id}/events', project: true },
  {
    call: 'POST /api/ai-workflows/initialize',
    body: ['project_id', 'build_id?', 'user_id', 'requirements', 'model?'],
    reply: ['workflow_id', 'initial_state', 'system_prompt', 'next_action'],
    send: () => ({
      project_id: 'shop',
      user_id: 'ann',
      requirements,
      build_id: String(startBody().build_id),
      model: 'gpt-4',
    }),
  },
  {
    call: 'POST /api/ai-workflows/complete-phase',
    body: ['workflow_id', 'ai_response', 'phase_result', 'completed_state?'],
    reply: ['workflow_id', 'previous_state', 'new_state', 'next_role', 'next_action', 'is_complete'],
    send: (workflow_id) => ({ workflow_id, ai_response: 'Doubling is adding.', ...completed }),
  },
  {
    call: 'GET /api/ai-workflows/status/{workflow_id}',
    reply: ['workflow_id', 'current_state', 'progress', 'completed_phases', 'next_role', 'is_complete'],
  },
  {
    call: 'POST /api/ai-workflows/get-ai-prompt/{workflow_id}',
    reply: ['model', 'messages', 'temperature', 'max_tokens', 'top_p'],
  },
  {
    call: 'POST /chat/start-build-workflow',
    body: ['user_id', 'project_id', 'requirements', 'build_id?'],
    reply: ['workflow_id', 'state'],
    send: () => ({ user_id: 'ann', project_id: 'shop', requirements, build_id: String(startBody().build_id) }),
  },
  { call: 'GET /healthz', reply: [] },
  { call: 'GET /readyz', reply: [] },
  { call: 'GET /metrics' },
];

/** Calls beside the table's: those that the design names elsewhere, and the downloads of a release. */
const BESIDE = [
  'GET /openapi.json',
  'GET /docs',
  'GET /api/workflows/{workflow_id}/artifacts',
  'GET /api/workflows/{workflow_id}/artifacts/{name}',
];

let product: TestProduct;
let api: TestProduct['api'];

beforeAll(async () => {
  product = await startTestProduct();
  ({ api } = product);
});
afterAll(() => product?.stop());

const pathOf = ({ call, project }: Row, workflowId: string): string =>
  call.slice(call.indexOf('/')).replace(/\{\w+\}/, project ? 'shop' : workflowId);

const makeCall = (row: Row, workflowId: string, body: Json | undefined) =>
  row.call.startsWith('GET ') ? api.get(pathOf(row, workflowId)) : api.post(pathOf(row, workflowId), body);

async function discovered(): Promise<string> {
  const id = await api.start({ external_roles: ROLES });
  if ((await api.claim(id, 'discovery')).status !== 200) throw new Error('discovery was refused');
  return id;
}

const needsPlanning = (row: Row): boolean => row.call.endsWith('/request-retry');

const named = (rows: readonly Row[]) => rows.map((row) => [row.call, row] as const);

describe('the API table', () => {
  it('is the table of routes: every call of the one is in the other', () => {
    const routes = ROUTES.map(({ method, path }) => `${method.toUpperCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(routes.toSorted()).toEqual([...TABLE.map(({ call }) => call), ...BESIDE].toSorted());
  });

  const calls = TABLE.filter(({ reply }) => reply !== undefined);
  it.each(named(calls))('%s answers with the fields of the table', async (_call, row) => {
    const id = needsPlanning(row) ? await discovered() : await api.start({ external_roles: ROLES });
    const { status, headers, body } = await makeCall(row, id, row.send?.(id));
    expect([status, body.detail]).toEqual([200, undefined]);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(Object.keys(body)).toEqual(expect.arrayContaining([...(row.reply ?? [])]));
  });

  const bodies = TABLE.filter(({ body }) => body !== undefined);
  it.each(named(bodies))(
    '%s takes the fields of the table, lists those that are missing, and knows no others',
    async (_call, row) => {
      const id = await discovered();
      const required = (row.body ?? []).filter((field) => !field.endsWith('?'));
      const given = row.send?.(id) ?? {};
      expect(row.body?.map((field) => field.replace('?', ''))).toEqual(expect.arrayContaining(Object.keys(given)));

      const empty = await makeCall(row, id, {});
      expect(empty).toMatchObject({ status: 400, body: { code: 'invalid_body' } });
      const missing = (empty.body.faults as { at: string }[]).map(({ at }) => at);
      // What a phase must hand on depends on the phase, so its absence is told where the phase is.
      expect(missing).toEqual(expect.arrayContaining(required.filter((field) => field !== 'phase_result')));

      const more = await makeCall(row, id, { ...given, colour: 'red' });
      expect(more).toMatchObject({ status: 400, body: { code: 'invalid_body' } });
      expect(JSON.stringify(more.body.faults)).toContain('colour');
    },
  );

  const streams = TABLE.filter(({ call }) => call.endsWith('/events'));
  it.each(named(streams))('%s is a stream of server-sent events', async (_call, row) => {
    const id = await discovered();
    const response = await fetch(`${api.url}${pathOf(row, id)}`, { signal: AbortSignal.timeout(30_000) });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/event-stream'),
    ]);
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString('utf8');
      if (text.includes('build_started')) break;
    }
    expect(text).toMatch(/^event: build_started$/m);
  });

  it('GET /metrics is text for Prometheus', async () => {
    const response = await fetch(`${api.url}/metrics`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/plain'),
    ]);
    expect(await response.text()).toMatch(/^# HELP /m);
  });
});
