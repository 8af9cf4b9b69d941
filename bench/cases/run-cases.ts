import type { BenchArguments, Case } from '../arguments.ts';
import { buildSubject, floorSubject, runMany, runOne, type Subject } from '../driver.ts';
import type { Figures } from '../figures.ts';
import { type HistoryFigures, historyFigures } from '../measure/histories.ts';
import { QUEUES, type Setup } from '../setup.ts';
import { measureCalls } from './calls.ts';
import { type Contestant, measureLatency, measureThroughput, warmUp } from './compare.ts';
import { measureCrash } from './crash.ts';
import { measureLists } from './lists.ts';
import { idealMs, type Load, measureLoad } from './load.ts';
import { measureMemory } from './memory.ts';
import { measureRealWork, phaseMedians } from './real-work.ts';
import { measureRequests } from './requests.ts';
import { measureSandbox } from './sandbox.ts';
import { measureSignals } from './signals.ts';
import { measureWorkspace } from './workspace.ts';

/** How much is measured. `quick` is for a first look: its figures are noisy. A median of 120 latencies was still off by some 3 %. */
const SIZES = {
  full: {
    warmUp: 500,
    latency: { count: 360, blocks: 72 },
    throughput: { count: 600, blocks: 6 },
    memory: 200,
    load: { builds: 300, delayMs: 2000, floor: { count: 300, blocks: 2 } },
    calls: { builds: 100, delayMs: 10_000, rounds: 200, warmUp: 30 },
    requests: { requests: 5000, inFlight: 8 },
    lists: { builds: 100_000, rounds: 50 },
    signals: { rounds: 200, malformed: 500, builds: 5 },
    sandbox: 100,
    workspace: { rounds: 40 },
    crash: { builds: 32, delayMs: 1000, killAfterMs: 2500 },
    real: 8,
  },
  quick: {
    warmUp: 64,
    latency: { count: 24, blocks: 3 },
    throughput: { count: 64, blocks: 2 },
    memory: 20,
    load: { builds: 48, delayMs: 500, floor: { count: 64, blocks: 2 } },
    calls: { builds: 20, delayMs: 4000, rounds: 30, warmUp: 10 },
    requests: { requests: 2000, inFlight: 8 },
    lists: { builds: 10_000, rounds: 20 },
    signals: { rounds: 40, malformed: 500, builds: 5 },
    sandbox: 20,
    workspace: { rounds: 10 },
    crash: { builds: 16, delayMs: 500, killAfterMs: 1500 },
    real: 2,
  },
} as const;

type Size = (typeof SIZES)[keyof typeof SIZES];
type Found = Omit<Figures, 'machine'>;
type Bench = Readonly<{
  setup: Setup;
  size: Size;
  subjects: Readonly<{ empty: Subject; six: Subject; build: Subject }>;
  contestants: readonly Contestant[];
  log: (line: string) => void;
}>;

async function floorPerSecond({ setup, subjects, size }: Bench): Promise<number> {
  const floor = [{ subject: subjects.six, worker: setup.floor }];
  return (await measureThroughput(setup, floor, size.load.floor))[subjects.six.name]?.perSecond ?? 0;
}

/** The floor's speed is measured before and after: within a minute the same machine may be half as fast. */
async function measureLoadOnFloor(bench: Bench): Promise<Load> {
  const before = await floorPerSecond(bench);
  const run = await measureLoad(bench.setup, bench.subjects.build, bench.size.load);
  const after = await floorPerSecond(bench);
  return { ...run, idealMs: idealMs(run, (before + after) / 2) };
}

async function measureHistories({ setup, subjects }: Bench): Promise<NonNullable<Found['histories']>> {
  const measured: Record<string, HistoryFigures> = {};
  for (const subject of Object.values(subjects)) {
    const { workflowId } = await runOne(setup.client, subject);
    measured[subject.name] = await historyFigures(setup.client, workflowId);
  }
  return measured;
}

async function measureReal({ setup, subjects, size }: Bench): Promise<NonNullable<Found['real']>> {
  const straight = await measureRealWork(setup, { builds: size.real, firstAttemptMistake: false });
  const withSendBack = await measureRealWork(setup, { builds: size.real, firstAttemptMistake: true });
  const instant = await runMany(setup.client, subjects.build, size.real, 1);
  return { straight, withSendBack, instantPhases: await phaseMedians(setup, instant) };
}

/** In this order: what compares first, on a fresh server; what kills the worker last. */
const RUN: Readonly<Record<Case, (bench: Bench) => Promise<Found>>> = {
  latency: async ({ setup, contestants, size }) => ({
    latency: await measureLatency(setup, contestants, size.latency),
  }),
  throughput: async ({ setup, contestants, size }) => ({
    throughput: await measureThroughput(setup, contestants, size.throughput),
  }),
  histories: async (bench) => ({ histories: await measureHistories(bench) }),
  memory: async ({ setup, subjects, size }) => ({ memory: await measureMemory(setup, subjects.build, size.memory) }),
  load: async (bench) => ({ load: await measureLoadOnFloor(bench) }),
  calls: async ({ setup, subjects, size }) => ({ calls: await measureCalls(setup, subjects.build, size.calls) }),
  requests: async ({ setup, size }) => ({ requests: await measureRequests(setup, size.requests) }),
  lists: async ({ setup, size }) => ({ lists: await measureLists(setup, size.lists) }),
  signals: async ({ setup, size }) => ({ signals: await measureSignals(setup, size.signals) }),
  workspace: async ({ size }) => ({ workspace: await measureWorkspace(size.workspace) }),
  sandbox: async ({ size, log }) => ({ sandbox: await measureSandbox(size.sandbox, log) }),
  real: async (bench) => ({ real: await measureReal(bench) }),
  crash: async ({ setup, subjects, size }) => ({ crash: await measureCrash(setup, subjects.build, size.crash) }),
};

/** Cases that set builds beside the floor: these are of processes that have long been running. */
const COMPARING: readonly Case[] = ['latency', 'throughput', 'load'];

/** Runs the chosen cases one after another. */
export async function runCases(setup: Setup, options: BenchArguments, log: (line: string) => void): Promise<Found> {
  const { client } = setup;
  const subjects = {
    empty: floorSubject(client, QUEUES.floor, 'empty'),
    six: floorSubject(client, QUEUES.floor, 'six'),
    build: buildSubject(client, QUEUES.instant),
  };
  const contestants = [
    { subject: subjects.empty, worker: setup.floor },
    { subject: subjects.six, worker: setup.floor },
    { subject: subjects.build, worker: setup.builder() },
  ];
  const bench: Bench = { setup, size: options.quick ? SIZES.quick : SIZES.full, subjects, contestants, log };
  let found: Found = {};
  if (COMPARING.some((name) => options.cases.has(name))) await warmUp(setup, contestants, bench.size.warmUp);
  for (const name of Object.keys(RUN) as Case[]) {
    if (!options.cases.has(name)) continue;
    const startedAtMs = performance.now();
    found = { ...found, ...(await RUN[name](bench)) };
    log(`${name}: ${((performance.now() - startedAtMs) / 1000).toFixed(0)} s`);
  }
  return found;
}
