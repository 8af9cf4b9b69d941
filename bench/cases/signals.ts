import { randomUUID } from 'node:crypto';
import { type Client, createClient } from '../../src/client/client.ts';
import { ROLES } from '../../src/machine/states.ts';
import { malformedSignals, sendMalformed } from '../../test/integration/by-hand/malformed-signals.ts';
import type { Setup } from '../setup.ts';
import { percentile } from '../statistics.ts';

const PROJECT = 'bench';
const SEED = 1;
/** Enough for any signal to be seen or recorded; reached only when one is lost. */
const DEADLINE_MS = 30_000;
const POLL_MS = 20;

export type Signals = Readonly<{
  rounds: number;
  /** From sending a signal until GET status tells its effect. */
  p50Ms: number;
  p95Ms: number;
  malformed: number;
  builds: number;
  /** What the malformed ones added to the histories of all builds, each recorded and written. */
  eventsAdded: number;
}>;

async function until(what: string, holds: () => Promise<boolean>, pauseMs: number): Promise<void> {
  const endsAt = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > endsAt) throw new Error(`waited ${DEADLINE_MS / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

const startDriven = async (api: Client): Promise<string> => {
  const request = { build_id: randomUUID(), user_id: 'bench', requirements: 'an answer', external_roles: ROLES };
  return (await api.start(PROJECT, request)).workflow_id;
};

/** Sends one build to planning and back, again and again, and looks at its status as an operator's page would. */
async function timeSignals({ client }: Setup, api: Client, rounds: number): Promise<number[]> {
  const id = await startDriven(api);
  const handle = client.workflow.getHandle(id);
  const phase_result = { discovered_reqs: ['an answer'], success_criteria: ['it is 42'] };
  const discovered = { role: 'q_assistant', completed_state: 'discovery', phase_result };
  const visible = async (name: string, message: object, state: string): Promise<number> => {
    const startedAtMs = performance.now();
    await handle.signal(name, message);
    await until(state, async () => (await api.status(id)).current_state === state, 0);
    return performance.now() - startedAtMs;
  };
  const took: number[] = [];
  for (let at = 0; at < rounds; at += 2) {
    took.push(await visible('advance', discovered, 'planning'));
    took.push(await visible('retry', { reason: 'smaller' }, 'discovery'));
  }
  await api.abort(id, { reason: 'measured' });
  return took;
}

async function countEvents({ client }: Setup, ids: readonly string[]): Promise<number> {
  const lengths = await Promise.all(
    ids.map(async (id) => (await client.workflow.getHandle(id).describe()).historyLength),
  );
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** Sends one after another, which costs the most events: many at once share workflow tasks. */
async function countMalformed(setup: Setup, api: Client, builds: number, count: number): Promise<number> {
  const ids = await Promise.all(Array.from({ length: builds }, () => startDriven(api)));
  const written = async (): Promise<number> => {
    const found = await Promise.all(
      ids.map((id) => setup.client.workflow.getHandle(id).query<{ flushed_seq: number }>('history')),
    );
    return found.reduce((sum, { flushed_seq }) => sum + flushed_seq, 0);
  };
  await until('the first rows', async () => (await written()) === 2 * builds, POLL_MS);
  const before = await countEvents(setup, ids);
  for (const [at, signal] of malformedSignals(SEED, count).entries()) {
    await sendMalformed(setup.client, ids[at % builds] ?? '', signal);
  }
  await until('every row', async () => (await written()) === 2 * builds + count, POLL_MS);
  const added = (await countEvents(setup, ids)) - before;
  for (const id of ids) await api.abort(id, { reason: 'measured' });
  return added;
}

/** What operators send by hand: how soon it is seen, and what it costs when it is malformed. */
export async function measureSignals(
  setup: Setup,
  { rounds, malformed, builds }: Readonly<{ rounds: number; malformed: number; builds: number }>,
): Promise<Signals> {
  const api = createClient({ url: (await setup.startApi()).ready.url });
  const took = await timeSignals(setup, api, rounds);
  const eventsAdded = await countMalformed(setup, api, builds, malformed);
  return { rounds, p50Ms: percentile(took, 50), p95Ms: percentile(took, 95), malformed, builds, eventsAdded };
}
