import type { Client as Database } from 'pg';
import { type Process, type Setup, usageOf } from '../setup.ts';
import { treeCpuMs } from './process-cpu.ts';

/** Counters since the processes began; null where the platform does not tell. */
type Counters = Readonly<{
  workerCpuMs: number;
  temporalCpuMs: number | null;
  postgresCpuMs: number | null;
  modelCpuMs: number;
  driverCpuMs: number;
  statements: number;
  flushes: number;
  writeTransactions: number;
}>;

/** What each run cost. */
export type Cost = Counters;

/**
 * Transactions that wrote so far: the next transaction id, which reading does not raise. pg_stat_database would lag: a
 * connection reports there up to 10 s after its last statement.
 */
async function nextTransactionId(database: Database): Promise<number> {
  const { rows } = await database.query('select pg_snapshot_xmax(pg_current_snapshot())::text as id');
  return Number((rows[0] as { id: string }).id);
}

async function read(setup: Setup, worker: Process): Promise<Counters> {
  const { stack, model, database } = setup;
  const [used, asked, writeTransactions] = await Promise.all([
    usageOf(worker),
    usageOf(model),
    nextTransactionId(database),
  ]);
  const { user, system } = process.cpuUsage();
  return {
    workerCpuMs: used.cpuMs,
    temporalCpuMs: treeCpuMs(stack.embedded.temporalPid()),
    postgresCpuMs: treeCpuMs(stack.embedded.postgresPid()),
    modelCpuMs: asked.cpuMs,
    driverCpuMs: (user + system) / 1000,
    statements: used.statements ?? 0,
    flushes: used.flushes ?? 0,
    writeTransactions,
  };
}

const KEYS = [
  'workerCpuMs',
  'temporalCpuMs',
  'postgresCpuMs',
  'modelCpuMs',
  'driverCpuMs',
  'statements',
  'flushes',
  'writeTransactions',
] as const satisfies readonly (keyof Counters)[];

/** Runs `work` and gives what it cost in all, beside its outcome. */
export async function costOf<T>(
  setup: Setup,
  worker: Process,
  work: () => Promise<T>,
): Promise<{ outcome: T; cost: Cost }> {
  const before = await read(setup, worker);
  const outcome = await work();
  const after = await read(setup, worker);
  const risen = KEYS.map((key) => {
    const [from, to] = [before[key], after[key]];
    return [key, from === null || to === null ? null : to - from] as const;
  });
  return { outcome, cost: Object.fromEntries(risen) as Cost };
}

/** The mean of several costs per run, `runs` of them in all. */
export function costPerRun(costs: readonly Cost[], runs: number): Cost {
  const means = KEYS.map((key) => {
    const values = costs.map((cost) => cost[key]);
    return [key, values.includes(null) ? null : values.reduce<number>((sum, v) => sum + (v ?? 0), 0) / runs] as const;
  });
  return Object.fromEntries(means) as Cost;
}
