import { afterAll, beforeAll, expect, it } from 'vitest';
import { MESSAGE_NAMES, type MessageName } from '../../../src/machine/messages.ts';
import { isHandoff, type OpenState, phaseAt, STATE_TABLE } from '../../../src/machine/states.ts';
import { type KnownBuild, startInEveryState } from '../../openapi/known-builds.ts';
import { CLAIMS, until } from '../fixtures/builds.ts';
import { eventsOf } from '../fixtures/outside-agent.ts';
import { startTestProduct, type TestProduct } from '../fixtures/product.ts';
import { describeByHand } from './by-hand.ts';

let product: TestProduct;
let api: TestProduct['api'];

beforeAll(async () => {
  product = await startTestProduct();
  ({ api } = product);
});
afterAll(() => product?.stop());

type Obeyed = Readonly<{ event: string; state: string; status: string }>;
type Expected = Obeyed | Readonly<{ refused: string }>;

const obeyed = (event: string, state: string, status = 'in_progress'): Obeyed => ({ event, state, status });

/** What the contract says of a signal in a state that is not over. */
function expectedOf(name: MessageName, state: string): Expected {
  if (name === 'abort') return obeyed('aborted', state, 'cancelled');
  if (name === 'rollback') return obeyed('rolled_back', 'discovery');
  if (state === 'error') {
    return name === 'retry' ? obeyed('resumed', 'deployment') : { refused: 'wrong_state' };
  }
  const { before, forward } = STATE_TABLE[state as OpenState];
  if (name === 'retry') return before === null ? { refused: 'nothing_before' } : obeyed('retry_requested', before);
  if (isHandoff(state as OpenState)) return obeyed('handoff_acknowledged', forward);
  return obeyed('phase_completed', forward, forward === 'complete' ? 'complete' : 'in_progress');
}

function messageOf(name: MessageName, { role, completedState }: KnownBuild): string {
  const phase = phaseAt(completedState as OpenState);
  const advance = { role, completed_state: completedState, phase_result: CLAIMS[phase]?.phase_result };
  const byName = { advance, rollback: { target_state: 'discovery', reason: 'by hand' } };
  return JSON.stringify(name === 'advance' || name === 'rollback' ? byName[name] : { reason: 'by hand' });
}

const statusOf = async (id: string) => (await api.read(`/api/workflows/${id}/status`)).body;

const isRunning = async (id: string): Promise<boolean> =>
  (await product.test.client.workflow.getHandle(id).describe()).status.name === 'RUNNING';

describeByHand('the signal', (by) => {
  it.each(MESSAGE_NAMES)(
    '%s is obeyed or refused as the contract says, in every state and after the end',
    async (name) => {
      const operator = by(product.test);
      const builds = await startInEveryState(api, `${name}-${Math.random()}`);
      const seen = new Set<string>();
      for (const build of builds) {
        const id = build.workflowId;
        const { current_state, status } = await statusOf(id);
        const state = String(current_state);
        const before = await eventsOf(api, id);
        const isOver = status === 'complete' || status === 'cancelled';
        // A run closes only when the mirror has its last row.
        if (isOver) await until('the end of the run', async () => !(await isRunning(id)));
        const { code, output } = await operator.signal(id, name, messageOf(name, build));
        if (isOver) {
          expect([code, output]).toEqual([1, expect.stringContaining('already completed')]);
          expect(await eventsOf(api, id)).toEqual(before);
          continue;
        }
        seen.add(state);
        expect(code, output).toBe(0);
        const expected = expectedOf(name, state);
        const type = 'refused' in expected ? 'signal_rejected' : expected.event;
        const rows = await until(`${type} in ${state}`, async () => {
          const added = (await eventsOf(api, id)).slice(before.length);
          return added.some(({ event_type }) => event_type === type) ? added : null;
        });
        expect(rows.filter(({ event_type }) => event_type === type)).toHaveLength(1);
        const after = await statusOf(id);
        if ('refused' in expected) {
          expect(rows).toMatchObject([{ event_data: { signal: name, code: expected.refused } }]);
          expect(after).toMatchObject({ current_state: state, status });
        } else expect(after).toMatchObject({ current_state: expected.state, status: expected.status });
      }
      expect(seen.size).toBe(11);
    },
  );
});
