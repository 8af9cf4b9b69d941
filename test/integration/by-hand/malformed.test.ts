import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PHASES } from '../../../src/machine/states.ts';
import { specOf } from '../../machine/sample-builds.ts';
import { until } from '../fixtures/builds.ts';
import { commandLines, describeWithTctl, type Ran } from '../fixtures/command-lines.ts';
import { completePhase, eventsOf, initialized } from '../fixtures/outside-agent.ts';
import { startTestProduct, type TestProduct } from '../fixtures/product.ts';
import { malformedSignals, SECRET, sendMalformed, UNKNOWN_NAMES, WRONG_OBJECTS } from './malformed-signals.ts';

const SIGNALS = 560;
/** How many events these may add to all builds together, by the contract: 2,500 for each 500. */
const EVENT_LIMIT = (2500 * SIGNALS) / 500;
const IN_FLIGHT = 8;
const SEED = 20261;
/** WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND: so the server cuts a task off before which over 100 messages wait. */
const FORCE_CLOSED = 17;

let product: TestProduct;
let api: TestProduct['api'];
let model: TestProduct['model'];

beforeAll(async () => {
  product = await startTestProduct();
  ({ api, model } = product);
});
afterAll(() => product?.stop());

const handleOf = (id: string): WorkflowHandle => product.test.client.workflow.getHandle(id);
const rejectedOf = async (id: string) =>
  (await eventsOf(api, id)).filter(({ event_type }) => event_type === 'signal_rejected').map((row) => row.event_data);
const lengthOf = async (id: string): Promise<number> => (await handleOf(id).describe()).historyLength;
const lengthsOf = async (ids: readonly string[]): Promise<number> =>
  (await Promise.all(ids.map(lengthOf))).reduce((sum, length) => sum + length, 0);

/** A build of which people have completed so many phases. */
async function driven(completed: number): Promise<string> {
  const id = await initialized(api);
  for (const phase of PHASES.slice(0, completed)) expect((await completePhase(api, id, phase)).status).toBe(200);
  return id;
}

async function parked(): Promise<string> {
  const id = await driven(5);
  await completePhase(api, id, 'deployment', { phase_result: { deployment_successful: false, notes: 'no space' } });
  await api.untilState(id, 'error');
  return id;
}

/** A build whose model is at work on a phase, until it is released. */
async function atWork(phase: 'discovery' | 'verification'): Promise<{ id: string; release: () => void }> {
  const build_id = `at-work-${Math.random()}`;
  const release = model.hold(phase, build_id);
  const id = await api.start({ build_id });
  await until('the call', async () => model.calls.some((call) => call.phase === phase && call.build === build_id));
  return { id, release };
}

async function completeByHand(id: string): Promise<void> {
  const state = String((await api.get(`/api/workflows/${id}/status`)).body.current_state);
  if (state === 'error') {
    const retried = await api.post(`/api/workflows/${id}/request-retry`, { reason: 'there is space now' });
    expect(retried.status).toBe(200);
  }
  for (const phase of PHASES) {
    const { completed_phases } = (await api.get(`/api/workflows/${id}/status`)).body as { completed_phases: string[] };
    if (!completed_phases.includes(phase)) expect((await completePhase(api, id, phase)).status).toBe(200);
  }
}

async function failedTasks(id: string): Promise<unknown[]> {
  const { events } = await handleOf(id).fetchHistory();
  return (events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) =>
    failed && failed.cause !== FORCE_CLOSED ? [failed.failure?.message] : [],
  );
}

/** What a row keeps of a name: what can be stored of its first characters. */
const nameInRow = (name: string): string =>
  (name.startsWith('__temporal_') ? `reserved: ${name}` : name).slice(0, 100).replace(/\0/g, '\uFFFD');
const counted = (names: readonly unknown[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const name of names) counts[`${name}`] = (counts[`${name}`] ?? 0) + 1;
  return counts;
};

/** How often a build is rolled back among the others; each is sent twice under one op_id. */
const ROLLBACKS = 5;
async function rollBack(id: string): Promise<void> {
  for (let at = 0; at < 2 * ROLLBACKS; at += 1) {
    const message = { target_state: 'discovery', reason: 'well formed', op_id: `rollback ${at % ROLLBACKS}` };
    await handleOf(id).signal('rollback', message);
  }
}
const rolledBack = async (id: string): Promise<number> =>
  (await eventsOf(api, id)).filter(({ event_type }) => event_type === 'rolled_back').length;

describe('malformed signals', () => {
  it('by the hundred are each recorded once with the reason, and every build completes', async () => {
    const working = [await atWork('discovery'), await atWork('verification')];
    const waiting = [await driven(0), await driven(2), await driven(3), await parked()];
    const ids = [...working.map(({ id }) => id), ...waiting];
    await until('rest', async () => {
      const length = await lengthsOf(ids);
      await new Promise((resolve) => setTimeout(resolve, 200));
      return length === (await lengthsOf(ids));
    });
    const before = await lengthsOf(ids);
    const signals = malformedSignals(SEED, SIGNALS).map((signal, at) => ({ signal, id: ids[at % ids.length] ?? '' }));
    const left = [...signals];
    const lane = async (): Promise<void> => {
      for (let next = left.shift(); next; next = left.shift())
        await sendMalformed(product.test.client, next.id, next.signal);
    };
    const [, steered = ''] = waiting;
    await Promise.all([...Array.from({ length: IN_FLIGHT }, lane), rollBack(steered)]);
    await until('the effects', async () => (await rolledBack(steered)) === ROLLBACKS);
    for (const id of ids) {
      const sent = signals.filter((one) => one.id === id).map(({ signal }) => nameInRow(signal.name));
      const rows = await until('every row', async () => {
        const found = await rejectedOf(id);
        return found.length >= sent.length ? found : null;
      });
      expect(counted(rows.map(({ signal }) => signal))).toEqual(counted(sent));
      for (const row of rows) {
        expect(row).toEqual({
          signal: expect.any(String),
          code: expect.stringMatching(/^(invalid_body|unknown_signal|wrong_state)$/),
          reason: expect.stringMatching(/^.{10,300}$/s),
          actor: 'operator',
        });
        expect(JSON.stringify(row)).not.toContain(SECRET);
      }
    }
    const added = (await lengthsOf(ids)) - before;
    expect(await rolledBack(steered)).toBe(ROLLBACKS);
    for (const { release } of working) release();
    for (const id of waiting) await completeByHand(id);
    for (const id of ids) {
      await api.untilState(id, 'complete');
      expect(await handleOf(id).result()).toMatchObject({ status: 'complete' });
      expect(await failedTasks(id)).toEqual([]);
      expect(await rejectedOf(id)).toHaveLength(signals.filter((one) => one.id === id).length);
    }
    expect(added).toBeLessThanOrEqual(EVENT_LIMIT);
  });
});

type Typed = Readonly<{ name: string; input?: string; more?: readonly string[] }>;

const meta = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['--input-meta', pair]);
const REFERENCE = 'messageType=temporal.api.sdk.v1.ExternalStorageReference';
const OBJECT = `{"reason": "${SECRET}"}`;

/** What both commands can send. Neither takes an empty name, and no argument of a process has a NUL in it. */
const BY_BOTH: readonly Typed[] = [
  { name: 'retry' },
  ...['7', '"text"', 'null', '[1]', ...WRONG_OBJECTS].map((input) => ({ name: 'retry', input })),
  ...['rollback', 'advance', 'abort'].map((name) => ({ name, input: '{"reason": 7}' })),
  ...UNKNOWN_NAMES.filter((name) => !name.includes('\0')).map((name) => ({ name, input: OBJECT })),
];
const BY_TEMPORAL: readonly Typed[] = [
  { name: 'retry', input: OBJECT, more: ['--input', OBJECT] },
  ...[
    ['encoding=json/protobuf'],
    ['encoding=json/protobuf', REFERENCE],
    ['encoding=binary/protobuf'],
    ['encoding=binary/null', 'more=1'],
    ['encoding=binary/encrypted'],
    ['encoding=binary/plain'],
    ['encoding=nonsense'],
    ['encoding='],
  ].map((pairs) => ({ name: 'retry', input: OBJECT, more: meta(...pairs) })),
  { name: 'abort', input: 'no JSON', more: meta('encoding=nonsense') },
];

/** One argument of a process is at most 128 kB. */
const ARGUMENT_LIMIT_CHARS = 100_000;

describe('malformed signals by hand', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'q-by-hand-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function inputOf({ input }: Typed, flags: Readonly<{ text: string; file: string }>): Promise<string[]> {
    if (input === undefined) return [];
    if (input.length < ARGUMENT_LIMIT_CHARS) return [flags.text, input];
    const path = join(folder, 'large.json');
    await writeFile(path, input);
    return [flags.file, path];
  }

  /** Sends all to one build, which records each of them and completes. */
  async function sendAll(typed: readonly Typed[], one: (id: string, typed: Typed) => Promise<Ran>): Promise<void> {
    const id = await initialized(api);
    for (const each of typed) {
      expect(await one(id, each), JSON.stringify(each).slice(0, 200)).toMatchObject({ code: 0 });
    }
    const rows = await until('every row', async () => {
      const found = await rejectedOf(id);
      return found.length >= typed.length ? found : null;
    });
    expect(counted(rows.map(({ signal }) => signal))).toEqual(counted(typed.map(({ name }) => nameInRow(name))));
    expect(JSON.stringify(rows)).not.toContain(SECRET);
    await completeByHand(id);
    await api.untilState(id, 'complete');
    expect(await failedTasks(id)).toEqual([]);
  }

  it('are recorded and harm nothing when temporal sends them', async () => {
    const { temporal } = commandLines(product.test);
    await sendAll([...BY_BOTH, ...BY_TEMPORAL], async (id, typed) => {
      const input = await inputOf(typed, { text: '--input', file: '--input-file' });
      return await temporal('workflow', 'signal', '-w', id, '--name', typed.name, ...input, ...(typed.more ?? []));
    });
  });

  it('are not even sent when temporal itself can tell', async () => {
    const { temporal } = commandLines(product.test);
    const id = await initialized(api);
    const signal = (...more: string[]) => temporal('workflow', 'signal', '-w', id, ...more);
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    expect(await signal('--name', 'retry', '--input', '{no JSON')).toMatchObject({ code: 1 });
    expect(await signal('--name', 'retry', '--input', deep)).toMatchObject({ code: 1 });
    expect(await signal('--name', '', '--input', OBJECT)).toMatchObject({ code: 1 });
    await temporal('workflow', 'signal', '-w', id, '--name', 'retry');
    expect(await until('the row of the last', async () => (await rejectedOf(id))[0])).toMatchObject({
      reason: expect.stringContaining('the input is missing'),
    });
    expect(await rejectedOf(id)).toHaveLength(1);
  });

  describeWithTctl('by tctl', () => {
    it('are recorded and harm nothing', async () => {
      const { tctl } = commandLines(product.test);
      await sendAll(BY_BOTH, async (id, typed) => {
        const input = await inputOf(typed, { text: '-i', file: '--input_file' });
        return await tctl('workflow', 'signal', '-w', id, '-n', typed.name, ...input);
      });
    });

    it('are not even sent when tctl itself can tell', async () => {
      const { tctl } = commandLines(product.test);
      const id = await initialized(api);
      const signal = (...more: string[]) => tctl('workflow', 'signal', '-w', id, ...more);
      for (const input of ['{no JSON', `${OBJECT} ${OBJECT}`]) {
        const { code, output } = await signal('-n', 'retry', '-i', input);
        expect([code, output]).toEqual([1, expect.stringContaining('not valid JSON')]);
      }
      expect(await signal('-n', '', '-i', OBJECT)).toMatchObject({ code: 1 });
      expect(await rejectedOf(id)).toEqual([]);
    });
  });
});

describe('queries and updates by hand', () => {
  it('are answered or refused with a reason, whatever comes with them, and fail no workflow task', async () => {
    const { temporal } = commandLines(product.test);
    const id = await driven(1);
    const inputs = [
      [],
      ['--input', '[1]'],
      ...BY_TEMPORAL.map(({ input = '', more = [] }) => ['--input', input, ...more]),
      ...WRONG_OBJECTS.filter(({ length }) => length < ARGUMENT_LIMIT_CHARS).map((input) => ['--input', input]),
    ];
    for (const input of inputs) {
      const asked = await temporal('workflow', 'query', '-w', id, '--type', 'status', ...input);
      expect([asked.code, asked.output]).toEqual([0, expect.stringContaining('planning')]);
      const updated = await temporal('workflow', 'update', 'execute', '-w', id, '--name', 'advance', ...input);
      const told = expect.stringMatching(/advance: .*(send|must|has a|contains)|type: (wrong_state|invalid_body)/s);
      expect([updated.code, updated.output]).toEqual([1, told]);
    }
    for (const name of UNKNOWN_NAMES.filter(
      (one) => !one.startsWith('__') && !one.includes('\0') && one !== 'status',
    )) {
      const asked = await temporal('workflow', 'query', '-w', id, '--type', name);
      expect([asked.code, asked.output]).toEqual([1, expect.stringContaining('did not register a handler')]);
    }
    const told = expect.stringContaining('did not register a handler');
    expect(await temporal('workflow', 'query', '-w', id, '--type', '__temporal_x')).toEqual({ code: 1, output: told });
    expect((await eventsOf(api, id)).map(({ event_type }) => event_type)).not.toContain('signal_rejected');
    expect(await failedTasks(id)).toEqual([]);
    await completeByHand(id);
    await api.untilState(id, 'complete');
  });
});

describe('a build started by hand', () => {
  it.each([
    ['no input', undefined],
    ['a text', '"text"'],
    ['an object that is no build', '{"spec": {}}'],
    ['a build that lacks most', '{"spec": {"workflowId": "ID", "buildId": "mine"}}'],
    ['another build', JSON.stringify({ spec: specOf({ workflowId: 'another' }) })],
    ['what cannot be decoded', 'no JSON'],
  ])('from %s fails at once, and says why', async (what, input) => {
    const { temporal } = commandLines(product.test);
    const id = `by-hand-${what.replaceAll(' ', '-')}`;
    const given = input === undefined ? [] : ['--input', input.replace('ID', id)];
    const encoding = input === 'no JSON' ? meta('encoding=nonsense') : [];
    const { taskQueue } = product.test.config.temporal;
    const where = ['--type', 'build', '--task-queue', taskQueue, '-w', id];
    expect(await temporal('workflow', 'start', ...where, ...given, ...encoding)).toMatchObject({ code: 0 });
    const { code, output } = await temporal('workflow', 'result', '-w', id);
    expect([code, output]).toEqual([1, expect.stringContaining('this input belongs to no build of this workflow id')]);
    expect((await api.get(`/api/workflows/${id}/status`)).status).toBe(404);
  });
});
