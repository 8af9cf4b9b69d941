import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { MESSAGE_NAMES } from '../../../src/machine/messages.ts';
import { QUERY_NAMES } from '../../../src/workflows/messages.ts';
import { CLAIMS, until } from '../fixtures/builds.ts';
import { commandLines } from '../fixtures/command-lines.ts';
import { completePhase, eventsOf, initialized } from '../fixtures/outside-agent.ts';
import { startTestProduct, type TestProduct } from '../fixtures/product.ts';
import { describeByHand } from './by-hand.ts';
import { testsOfEveryState } from './every-state.ts';

let product: TestProduct;
let api: TestProduct['api'];

beforeAll(async () => {
  product = await startTestProduct();
  ({ api } = product);
});
afterAll(() => product?.stop());

type Event = Awaited<ReturnType<typeof eventsOf>>[number];

const statusOf = async (id: string) => (await api.read(`/api/workflows/${id}/status`)).body;
const untilEvents = (id: string, type: string, count = 1): Promise<Event[]> =>
  until(`${count} ${type}`, async () => {
    const found = (await eventsOf(api, id)).filter(({ event_type }) => event_type === type);
    return found.length >= count ? found : null;
  });
const advance = (phase: string, more: object = {}): string =>
  JSON.stringify({ ...CLAIMS[phase], completed_state: phase, actor: 'ann', ...more });

/** A build that people drive, in planning. */
async function inPlanning(): Promise<string> {
  const id = await initialized(api);
  expect((await completePhase(api, id, 'discovery')).status).toBe(200);
  return id;
}

describeByHand('a build', (by) => {
  it('is steered with the four signals, which the audit tells with who sent them', async () => {
    const operator = by(product.test);
    const send = async (id: string, name: string, input: string) =>
      expect(await operator.signal(id, name, input)).toMatchObject({ code: 0 });
    const id = await initialized(api);
    await send(id, 'advance', advance('discovery'));
    await api.untilState(id, 'planning');
    await send(id, 'advance', advance('planning'));
    await api.untilState(id, 'handoff_to_coder');
    await send(id, 'retry', '{"reason": "think again", "actor": "bob"}');
    await api.untilState(id, 'planning');
    await send(id, 'rollback', '{"target_state": "discovery", "reason": "wrong approach", "actor": "cid"}');
    await api.untilState(id, 'discovery');
    await send(id, 'abort', '{"reason": "no longer needed", "actor": "dan"}');
    await untilEvents(id, 'aborted');
    expect(await statusOf(id)).toMatchObject({ status: 'cancelled', current_state: 'discovery' });
    const told = (await eventsOf(api, id)).flatMap(({ event_type, event_data }) =>
      event_data.actor === undefined ? [] : [`${event_type} by ${event_data.actor}`],
    );
    expect(told).toEqual([
      'phase_completed by ann',
      'phase_completed by ann',
      'retry_requested by bob',
      'rolled_back by cid',
      'aborted by dan',
    ]);
  });

  it('says in its queries what it says over HTTP', async () => {
    const operator = by(product.test);
    const id = await inPlanning();
    expect(await operator.query(id, 'status')).toMatchObject({ workflow_id: id, current_state: 'planning' });
    const { rows } = await operator.query(id, 'history');
    const types = (rows as { type: string }[]).map(({ type }) => type);
    expect(types).toEqual((await eventsOf(api, id)).map(({ event_type }) => event_type));
    expect(JSON.stringify(await operator.query(id, 'prompt'))).toContain('planning');
    await expect(operator.query(id, 'nothing')).rejects.toThrow(/status history prompt/);
  });

  it('obeys an operation once, however often it is sent with its op_id', async () => {
    const operator = by(product.test);
    const id = await inPlanning();
    const retry = '{"reason": "think again", "op_id": "the first"}';
    for (let time = 0; time < 3; time += 1) await operator.signal(id, 'retry', retry);
    // Signals arrive in order: what this one did is seen after what those before it did.
    await operator.signal(id, 'retry', '{"reason": "other words", "op_id": "the first"}');
    const [refused] = await untilEvents(id, 'signal_rejected');
    expect(refused?.event_data).toMatchObject({ signal: 'retry', code: 'idempotency_key_reused' });
    expect(await untilEvents(id, 'retry_requested')).toHaveLength(1);
    expect(await statusOf(id)).toMatchObject({ current_state: 'discovery' });
  });

  it('obeys only in the state that was expected', async () => {
    const operator = by(product.test);
    const id = await inPlanning();
    await operator.signal(id, 'retry', '{"reason": "late", "expected_state": "testing"}');
    const [refused] = await untilEvents(id, 'signal_rejected');
    const reason = 'expected_state is testing, but the build is in planning';
    expect(refused?.event_data).toMatchObject({ signal: 'retry', code: 'wrong_state', reason });
    await operator.signal(id, 'retry', '{"reason": "in time", "expected_state": "PLANNING"}');
    await api.untilState(id, 'discovery');
  });

  it('obeys what was sent before any worker took it', async () => {
    const operator = by(product.test);
    await product.stopWorker();
    const id = await initialized(api);
    await operator.signal(id, '__temporal_unknown', '1');
    await operator.signal(id, 'advance', advance('discovery'));
    await operator.signal(id, 'advance', '{}');
    await product.startWorker();
    await api.untilState(id, 'planning');
    expect(await untilEvents(id, 'signal_rejected', 2)).toHaveLength(2);
  });
});

describe('in every state', () => testsOfEveryState(() => product));

it('answers whatever is asked in the wake of a signal, and nobody has to ask again', async () => {
  const id = await initialized(api);
  // The client of its own would ask again by itself, a second later.
  const connection = await Connection.connect({ address: product.test.temporalAddress, interceptors: [] });
  onTestFinished(() => connection.close());
  const { namespace } = product.test.config.temporal;
  const handle = new Client({ connection, namespace }).workflow.getHandle(id);
  for (let time = 0; time < 5; time += 1) {
    await handle.signal('rollback', { target_state: 'discovery', reason: 'again' });
    const asked = Array.from({ length: 8 }, () => handle.query<{ attempt: number }>('status'));
    for (const { attempt } of await Promise.all(asked)) expect(attempt).toBe(time + 2);
  }
});

type Described = Readonly<{ name: string; description?: string }>;
type Definition = Readonly<
  Record<'signalDefinitions' | 'updateDefinitions' | 'queryDefinitions', readonly Described[]>
>;

describe('temporal', () => {
  const update = (id: string, name: string, ...more: string[]) =>
    commandLines(product.test).temporal('workflow', 'update', 'execute', '-w', id, '--name', name, ...more);

  async function definitionOf(id: string): Promise<Definition> {
    const { temporal } = commandLines(product.test);
    const { output } = await temporal('workflow', 'metadata', '-w', id, '-o', 'json');
    return (JSON.parse(output) as { queryResult: [{ definition: Definition }] }).queryResult[0].definition;
  }
  const exampleIn = (described: readonly Described[], name: string): string => {
    const { description = '' } = described.find((one) => one.name === name) ?? {};
    return /Example: (\{.*\})$/.exec(description)?.[1] ?? expect.fail(`${name}: ${description}`);
  };

  it('sends the four operations as updates, which answer', async () => {
    const id = await initialized(api);
    const answers: unknown[] = [];
    for (const [name, input] of [
      ['advance', advance('discovery')],
      ['advance', advance('planning')],
      ['retry', '{"reason": "think again"}'],
      ['rollback', '{"target_state": "discovery", "reason": "wrong approach"}'],
      ['abort', '{"reason": "enough"}'],
    ] as const) {
      const { code, output } = await update(id, name, '--input', input, '-o', 'json');
      expect([code, output]).toEqual([0, expect.any(String)]);
      const { result } = JSON.parse(output) as { result: Record<string, unknown> };
      answers.push([result.previous_state, result.new_state, result.status]);
    }
    expect(answers).toEqual([
      ['discovery', 'planning', 'in_progress'],
      ['planning', 'handoff_to_coder', 'in_progress'],
      ['handoff_to_coder', 'planning', 'in_progress'],
      ['planning', 'discovery', 'in_progress'],
      ['discovery', 'discovery', 'cancelled'],
    ]);
  });

  it('tells why an update is refused, which leaves nothing in the history', async () => {
    const id = await initialized(api);
    const events = async () => (await product.test.client.workflow.getHandle(id).fetchHistory()).events ?? [];
    // The first flush, and the workflow task that hears of it: then the build waits.
    await until('rest', async () => {
      const seen = await events();
      const flushed = seen.some((event) => event.activityTaskCompletedEventAttributes);
      return flushed && seen.at(-1)?.workflowTaskCompletedEventAttributes;
    });
    const before = (await events()).length;
    const reference = 'messageType=temporal.api.sdk.v1.ExternalStorageReference';
    const tries: readonly (readonly [told: RegExp, name: string, ...more: string[]])[] = [
      [/retry: reason must be a text/, 'retry', '--input', '{"reason": 7}'],
      [/the input is missing/, 'retry'],
      [/the input is no object/, 'retry', '--input', '[1]'],
      [/nothing stands before it.*Allowed now: advance/, 'retry', '--input', '{"reason": "x"}'],
      [/could not be decoded/, 'retry', '--input', '{}', '--input-meta', 'encoding=json/protobuf'],
      [/could not be decoded/, 'abort', '--input', 'x', '--input-meta', 'encoding=nonsense'],
      [
        /could not be decoded/,
        ...(['abort', '--input', '{}', '--input-meta', 'encoding=json/protobuf', '--input-meta', reference] as const),
      ],
      [/No registered handler for update: nothing/, 'nothing', '--input', '{}'],
      [/No registered handler for update: __temporal_x/, '__temporal_x', '--input', '{}'],
    ];
    for (const [told, name, ...more] of tries) {
      const { code, output } = await update(id, name, ...more);
      expect([code, output]).toEqual([1, expect.stringMatching(told)]);
    }
    expect(await events()).toHaveLength(before);
    expect(await statusOf(id)).toMatchObject({ current_state: 'discovery', status: 'in_progress' });
  });

  it('lists every signal, update and query with an example that is accepted as it stands', async () => {
    const id = await inPlanning();
    const { signalDefinitions, updateDefinitions, queryDefinitions } = await definitionOf(id);
    const names = (described: readonly Described[]) => described.map(({ name }) => name).filter((n) => n[0] !== '_');
    expect(names(signalDefinitions).sort()).toEqual([...MESSAGE_NAMES].sort());
    expect(names(updateDefinitions).sort()).toEqual([...MESSAGE_NAMES].sort());
    expect(names(queryDefinitions).sort()).toEqual([...QUERY_NAMES].sort());
    const { temporal } = commandLines(product.test);
    for (const name of QUERY_NAMES) {
      const input = exampleIn(queryDefinitions, name);
      expect(await temporal('workflow', 'query', '-w', id, '--type', name, '--input', input)).toMatchObject({
        code: 0,
      });
    }
    // In states that fit the examples.
    const fitting = [
      ['advance', 'planning', 'handoff_to_coder'],
      ['rollback', 'handoff_to_coder', 'planning'],
      ['retry', 'testing', 'implementation'],
      ['abort', 'implementation', 'implementation'],
    ] as const;
    for (const described of [signalDefinitions, updateDefinitions]) {
      const build = await inPlanning();
      for (const [name, from, to] of fitting) {
        const sent = exampleIn(described, name);
        if (from === 'testing') {
          for (const phase of ['planning', 'implementation']) await completePhase(api, build, phase);
          await api.post(`/api/workflows/${build}/advance`, {
            role: 'test_auditor',
            completed_state: 'handoff_to_tester',
          });
        }
        expect(await statusOf(build)).toMatchObject({ current_state: from });
        const { code, output } =
          described === signalDefinitions
            ? await temporal('workflow', 'signal', '-w', build, '--name', name, '--input', sent)
            : await update(build, name, '--input', sent);
        expect([code, output]).toEqual([0, expect.any(String)]);
        await api.untilState(build, to);
      }
      await until('the end', async () => (await statusOf(build)).status === 'cancelled');
      expect((await eventsOf(api, build)).filter(({ event_type }) => event_type === 'signal_rejected')).toEqual([]);
    }
  });
});
