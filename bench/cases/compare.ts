import { type Run, runMany, runOne, type Subject } from '../driver.ts';
import { type Cost, costOf, costPerRun } from '../measure/resources.ts';
import type { Process, Setup } from '../setup.ts';
import { median, percentile, rounds } from '../statistics.ts';

/** Something to compare, and the process whose work it is. */
export type Contestant = Readonly<{ subject: Subject; worker: Process }>;

export type Latency = Readonly<{ p50Ms: number; p95Ms: number; runs: number; perRun: Cost }>;
export type Throughput = Readonly<{ perSecond: number; rounds: readonly number[]; runs: number; perRun: Cost }>;
/** By the subject's name. */
export type ByName<T> = Readonly<Record<string, T>>;

const IN_FLIGHT = 32;

async function inSequence(setup: Setup, subject: Subject, count: number): Promise<Run[]> {
  const runs: Run[] = [];
  for (let i = 0; i < count; i++) runs.push(await runOne(setup.client, subject));
  return runs;
}

/**
 * Hundreds of runs pass before the engine has compiled what they use: over twelve rounds of 150 a build took 39 ms of its worker at first
 * and 33 at last, six activities 21 and 16. Many at once get there sooner.
 */
export async function warmUp(setup: Setup, contestants: readonly Contestant[], count: number): Promise<void> {
  for (const { subject } of contestants) await runMany(setup.client, subject, count, IN_FLIGHT);
}

type Sizes = Readonly<{ count: number; blocks: number }>;

/** Each contestant in its turn, block by block, so that what else the machine does meets all alike. */
export async function measureLatency(
  setup: Setup,
  contestants: readonly Contestant[],
  { count, blocks }: Sizes,
): Promise<ByName<Latency>> {
  const durations = new Map<string, number[]>();
  const costs = new Map<string, Cost[]>();
  for (const blockCount of rounds(count, blocks)) {
    for (const { subject, worker } of contestants) {
      const { outcome, cost } = await costOf(setup, worker, () => inSequence(setup, subject, blockCount));
      const took = outcome.map(({ startedAtMs, endedAtMs }) => endedAtMs - startedAtMs);
      durations.set(subject.name, [...(durations.get(subject.name) ?? []), ...took]);
      costs.set(subject.name, [...(costs.get(subject.name) ?? []), cost]);
    }
  }
  const figures = [...durations].map(([name, took]): [string, Latency] => {
    const perRun = costPerRun(costs.get(name) ?? [], took.length);
    return [name, { p50Ms: percentile(took, 50), p95Ms: percentile(took, 95), runs: took.length, perRun }];
  });
  return Object.fromEntries(figures);
}

/** How many a second, with 32 always in flight but at the ends of a round; each contestant in its turn, too. */
export async function measureThroughput(
  setup: Setup,
  contestants: readonly Contestant[],
  { count, blocks }: Sizes,
): Promise<ByName<Throughput>> {
  const rates = new Map<string, number[]>();
  const costs = new Map<string, Cost[]>();
  for (const blockCount of rounds(count, blocks)) {
    for (const { subject, worker } of contestants) {
      const { outcome, cost } = await costOf(setup, worker, async () => {
        const startedAtMs = performance.now();
        await runMany(setup.client, subject, blockCount, IN_FLIGHT);
        return (blockCount * 1000) / (performance.now() - startedAtMs);
      });
      rates.set(subject.name, [...(rates.get(subject.name) ?? []), outcome]);
      costs.set(subject.name, [...(costs.get(subject.name) ?? []), cost]);
    }
  }
  const figures = [...rates].map(([name, rate]): [string, Throughput] => {
    const perRun = costPerRun(costs.get(name) ?? [], count);
    return [name, { perSecond: median(rate), rounds: rate, runs: count, perRun }];
  });
  return Object.fromEntries(figures);
}
