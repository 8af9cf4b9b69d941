import fc from 'fast-check';
import { expect } from 'vitest';
import type { FlushInput } from '../../../src/mirror/mirror.ts';
import { flushOf, type Step, T0 } from '../../mirror/builds.ts';

/** What a workflow sent: flushes in the order of sending, each of all rows that no earlier one had confirmed. */
export type Sent = Readonly<{
  flushes: readonly Readonly<{ input: FlushInput; confirmed: boolean }>[];
  current: readonly string[];
  last: FlushInput;
  /** The last flush of every line, in their order. */
  ends: readonly FlushInput[];
}>;

/** Lines of history; every one but the first begins by resetting the one before it to one of its steps. */
type Plan = Readonly<{ lines: readonly Readonly<{ from: number; length: number; confirmed: readonly boolean[] }>[] }>;

export const plans: fc.Arbitrary<Plan> = fc.record({
  lines: fc.array(
    fc.record({
      from: fc.nat({ max: 6 }),
      length: fc.integer({ min: 1, max: 7 }),
      confirmed: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

export function send(run: readonly Step[], { lines }: Plan): Sent {
  const flushes: { input: FlushInput; confirmed: boolean }[] = [];
  let current: string[] = [];
  let scheduledMs = T0;
  let reached = 0;
  let last: FlushInput | undefined;
  const ends: FlushInput[] = [];
  // Up to which row each step of a line knew the mirror to be; a reset goes back to that knowledge.
  let known: number[] = [0];
  lines.forEach(({ from, length, confirmed }, line) => {
    const branch = `line-${line}`;
    const first = line === 0 ? 0 : Math.min(from, reached);
    let acked = known[first] ?? 0;
    known = known.slice(0, first + 1);
    scheduledMs += 1_000;
    for (let at = first; at < Math.min(run.length, first + length); at++) {
      const step = run[at];
      if (!step) break;
      const unconfirmed = run.slice(0, at + 1).flatMap(({ rows }) => rows.filter(({ seq }) => seq > acked));
      scheduledMs += 1;
      last = flushOf(step, { branch, runId: branch, openedAtMs: scheduledMs, rows: unconfirmed });
      flushes.push({ input: last, confirmed: confirmed[at] === true });
      const begin = unconfirmed[0]?.seq ?? step.build.seq + 1;
      current = [...current.slice(0, begin - 1), ...unconfirmed.map(({ seq }) => `${seq} ${branch}`)];
      if (confirmed[at]) acked = step.build.seq;
      known[at + 1] = acked;
      reached = at;
    }
    if (last) ends.push(last);
  });
  return { flushes, current, last: last ?? expect.fail('a plan sends something'), ends };
}

type Random = (below: number) => number;

/** What arrives of it: some are lost before, which nobody can have confirmed; some arrive twice. */
export function arrivals(flushes: Sent['flushes'], last: FlushInput, random: Random): FlushInput[] {
  const arriving = flushes
    .filter(({ input, confirmed }) => confirmed || input === last || random(4) > 0)
    .map(({ input }) => input);
  return [...arriving, ...arriving.filter(() => random(3) === 0)];
}

/** Does all of it, 8 at once. */
export async function inAnyOrder(work: readonly (() => Promise<unknown>)[], random: Random): Promise<void> {
  const queue = [...work];
  const worker = async (): Promise<void> => {
    while (queue.length > 0) {
      const [next] = queue.splice(random(queue.length), 1);
      await next?.();
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}
