import { beforeAll, expect, it } from 'vitest';
import { MESSAGE_NAMES, type MessageName } from '../../../src/machine/messages.ts';
import {
  actingRole,
  isHandoff,
  type OpenState,
  phaseAt,
  ROLES,
  STATE_TABLE,
  STATES,
  type State,
} from '../../../src/machine/states.ts';
import { CLAIMS, until } from '../fixtures/builds.ts';
import { eventsOf } from '../fixtures/outside-agent.ts';
import type { TestProduct } from '../fixtures/product.ts';
import { describeByHand, type Operator } from './by-hand.ts';

let product: TestProduct;
let api: TestProduct['api'];

type Live = Exclude<State, 'complete'>;
/** A build that outside agents drive, and where it is. */
type Driven = { id: string; state: State };
type Obeyed = Readonly<{ event: string; state: State; status: string }>;
type Expected = Obeyed | Readonly<{ refused: string }>;

const LIVE = STATES.filter((state) => state !== 'complete');

const obeyed = (event: string, state: State, status = 'in_progress'): Obeyed => ({ event, state, status });

/** What the contract says of a signal in a state that is not over. */
function expectedOf(name: MessageName, state: Live): Expected {
  if (name === 'abort') return obeyed('aborted', state, 'cancelled');
  if (name === 'rollback') return obeyed('rolled_back', 'discovery');
  if (state === 'error') {
    return name === 'retry' ? obeyed('resumed', 'deployment') : { refused: 'wrong_state' };
  }
  const { before, forward } = STATE_TABLE[state];
  if (name === 'retry') return before === null ? { refused: 'nothing_before' } : obeyed('retry_requested', before);
  if (isHandoff(state)) return obeyed('handoff_acknowledged', forward);
  return obeyed('phase_completed', forward, forward === 'complete' ? 'complete' : 'in_progress');
}

/** The advance of whoever acts in a state: completes a phase, acknowledges a handoff. */
const advanceOf = (state: OpenState) => ({
  role: actingRole(state),
  completed_state: state,
  phase_result: CLAIMS[phaseAt(state)]?.phase_result,
});

function messageOf(name: string, state: State): string {
  const advance = advanceOf(state === 'complete' || state === 'error' ? 'discovery' : state);
  const byName = { advance, rollback: { target_state: 'discovery', reason: 'by hand' } };
  return JSON.stringify(name === 'advance' || name === 'rollback' ? byName[name] : { reason: 'by hand' });
}

async function command(build: Driven, name: 'advance' | 'request-retry' | 'abort', body: object): Promise<void> {
  const { status, body: reply } = await api.post(`/api/workflows/${build.id}/${name}`, body);
  expect([status, reply]).toEqual([200, expect.anything()]);
  build.state = (reply.new_state ?? build.state) as State;
}

/** Takes it on to a state, back first where it is past that; over HTTP, so that nothing goes by hand but what is tried. */
async function take(build: Driven, to: State): Promise<void> {
  while (build.state !== to) {
    const at = build.state as OpenState;
    const phase = phaseAt(at);
    const failed = { ...advanceOf('deployment'), phase_result: { deployment_successful: false } };
    if (STATES.indexOf(at) > STATES.indexOf(to)) await command(build, 'request-retry', { reason: 'once more' });
    else if (to === 'error' && phase === 'deployment') await command(build, 'advance', failed);
    // A handoff is passed over, unless it is to be acknowledged and no more.
    else await command(build, 'advance', advanceOf(phase === to ? at : phase));
  }
}

async function buildIn(state: State): Promise<Driven> {
  const build: Driven = { id: await api.start({ external_roles: ROLES }), state: 'discovery' };
  await take(build, state);
  return build;
}

async function expectAsTheContractSays(operator: Operator, build: Driven, name: MessageName): Promise<void> {
  const { id, state } = build;
  // A worker that is slow to answer has the mirror tell, which has no row of a build that began just now.
  const before = await until('its first row', async () => {
    const seen = await eventsOf(api, id);
    return seen.length > 0 ? seen : null;
  });
  const { code, output } = await operator.signal(id, name, messageOf(name, state));
  expect(code, output).toBe(0);
  const expected = expectedOf(name, state as Live);
  const type = 'refused' in expected ? 'signal_rejected' : expected.event;
  const rows = await until(`${type} in ${state}`, async () => {
    const added = (await eventsOf(api, id)).slice(before.length);
    return added.some(({ event_type }) => event_type === type) ? added : null;
  });
  expect(rows.filter(({ event_type }) => event_type === type)).toHaveLength(1);
  const { body: after } = await api.read(`/api/workflows/${id}/status`);
  if ('refused' in expected) {
    expect(rows).toMatchObject([{ event_data: { signal: name, code: expected.refused } }]);
    const status = state === 'error' ? 'error' : 'in_progress';
    expect(after).toMatchObject({ current_state: state, status });
  } else {
    expect(after).toMatchObject({ current_state: expected.state, status: expected.status });
    build.state = expected.state;
  }
}

/** Builds of each end. A run closes only when the mirror has its last row. */
async function endedBuilds(): Promise<readonly Driven[]> {
  const ended = [await buildIn('complete'), await buildIn('discovery'), await buildIn('handoff_to_coder')];
  for (const build of ended) {
    if (build.state !== 'complete') await command(build, 'abort', { reason: 'enough' });
    await product.test.client.workflow.getHandle(build.id).result();
  }
  return ended;
}

/** @param started tells the product once it is there */
export function testsOfEveryState(started: () => TestProduct): void {
  beforeAll(() => {
    product = started();
    ({ api } = product);
  });

  it('is tried in all eleven states of a build that goes on', () => {
    expect(LIVE).toHaveLength(11);
  });

  describeByHand('every signal', (by) => {
    it.each(LIVE)('is obeyed or refused as the contract says in %s', async (state) => {
      const operator = by(product.test);
      let build = await buildIn(state);
      // The last of them, abort, is the one after which there is nothing to take back.
      for (const name of MESSAGE_NAMES) {
        if (build.state === 'complete') build = await buildIn(state);
        else await take(build, state);
        await expectAsTheContractSays(operator, build, name);
      }
    });

    it('is refused after every end, which it leaves as it is', async () => {
      const operator = by(product.test);
      for (const { id } of await endedBuilds()) {
        const told = async (): Promise<unknown> => [
          (await api.read(`/api/workflows/${id}/status`)).body,
          await eventsOf(api, id),
        ];
        const before = await told();
        for (const name of [...MESSAGE_NAMES, 'no_such_signal']) {
          const { code, output } = await operator.signal(id, name, messageOf(name, 'complete'));
          expect([code, output]).toEqual([1, expect.stringContaining('workflow execution already completed')]);
        }
        expect(await told()).toEqual(before);
      }
    });
  });
}
