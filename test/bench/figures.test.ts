import { describe, expect, it } from 'vitest';
import { CALLS, type Calls } from '../../bench/cases/calls.ts';
import { type Lists, STATS } from '../../bench/cases/lists.ts';
import type { Load } from '../../bench/cases/load.ts';
import type { Requests } from '../../bench/cases/requests.ts';
import { type Figures, targetsOf } from '../../bench/figures.ts';

const machine: Figures['machine'] = { cpus: 2, cpuModel: 'any', node: '20', loadBefore: 0 };

const cost = (statements: number, flushes: number) => ({
  workerCpuMs: 1,
  temporalCpuMs: null,
  postgresCpuMs: null,
  modelCpuMs: 0,
  driverCpuMs: 0,
  statements,
  flushes,
  writeTransactions: statements,
});

const latency = (p50Ms: number, statements = 0) => ({ p50Ms, p95Ms: p50Ms, runs: 1, perRun: cost(statements, 7) });
const throughput = (perSecond: number) => ({ perSecond, rounds: [perSecond], runs: 1, perRun: cost(7, 7) });
const verdicts = (figures: Figures): boolean[] => targetsOf(figures).map(({ reached }) => reached);

const load = (lastCompletedMs: number, troubles: Partial<Load['troubles']>): Load => ({
  builds: 300,
  delayMs: 2000,
  lastCompletedMs,
  idealMs: 20_000,
  perRun: cost(7, 7),
  troubles: {
    activityRetries: 0,
    activityTimeouts: 0,
    activityFailures: 0,
    workflowTaskTimeouts: 0,
    workflowTaskFailures: 0,
    stickyTimeouts: 0,
    ...troubles,
  },
});

describe('the targets of the bench', () => {
  it('compare a build with the floor of the same run', () => {
    const floor = { 'floor-six': latency(100) };
    expect(verdicts({ machine, latency: { ...floor, build: latency(150, 7) } })).toEqual([true, true]);
    expect(verdicts({ machine, latency: { ...floor, build: latency(151, 7) } })).toEqual([false, true]);
    const many = (perSecond: number) => ({ 'floor-six': throughput(20), build: throughput(perSecond) });
    expect(verdicts({ machine, throughput: many(14) })).toEqual([true, true]);
    expect(verdicts({ machine, throughput: many(13.9) })).toEqual([false, true]);
  });

  it('want one statement per flush', () => {
    const figures = { machine, latency: { 'floor-six': latency(100), build: latency(100, 8) } };
    expect(verdicts(figures)).toEqual([true, false]);
  });

  it('count a try that timed out as trouble, and a task left in the worker’s own queue as none', () => {
    expect(verdicts({ machine, load: load(26_000, { stickyTimeouts: 3 }) })).toEqual([true, true, true]);
    expect(verdicts({ machine, load: load(26_001, {}) })).toEqual([false, true, true]);
    expect(verdicts({ machine, load: load(1, { activityRetries: 1 }) })).toEqual([true, false, true]);
    expect(verdicts({ machine, load: load(1, { workflowTaskFailures: 1 }) })).toEqual([true, true, false]);
    expect(verdicts({ machine, load: load(1, { workflowTaskTimeouts: 1 }) })).toEqual([true, true, false]);
  });

  it('compare a status over HTTP with a query of the same run', () => {
    const calls = (statusMs: number): Calls => {
      const latency = (p50Ms: number) => ({ p50Ms, p95Ms: 1000 });
      const latencies = Object.fromEntries(CALLS.map((name) => [name, latency(10)])) as Calls['latencies'];
      return { builds: 100, delayMs: 1, rounds: 1, latencies: { ...latencies, status: latency(statusMs) } };
    };
    expect(verdicts({ machine, calls: calls(30) })).toEqual([true]);
    expect(verdicts({ machine, calls: calls(31) })).toEqual([false]);
  });

  it('let no generated request be answered wrong', () => {
    const requests = (faulty: number): Requests => {
      return { requests: 100, inFlight: 1, perSecond: 10, byStatus: { 200: 100 }, faulty, faults: [] };
    };
    expect(verdicts({ machine, requests: requests(0) })).toEqual([true]);
    expect(verdicts({ machine, requests: requests(1) })).toEqual([false]);
  });

  it('want the stats of a project within their limit in nineteen of twenty calls', () => {
    const lists = (p95Ms: number): Lists => {
      return { builds: 100_000, rounds: 50, latencies: { [STATS]: { p50Ms: 1, p95Ms, maxMs: 1000 } } };
    };
    expect(verdicts({ machine, lists: lists(50) })).toEqual([true]);
    expect(verdicts({ machine, lists: lists(50.1) })).toEqual([false]);
  });

  it('want a signal seen soon, and malformed ones to add few events', () => {
    const signals = (p50Ms: number, eventsAdded: number): Figures => {
      return { machine, signals: { rounds: 2, p50Ms, p95Ms: 1000, malformed: 500, builds: 5, eventsAdded } };
    };
    expect(verdicts(signals(200, 2500))).toEqual([true, true]);
    expect(verdicts(signals(200.1, 2501))).toEqual([false, false]);
  });

  it('want commits with their bundles to be quick', () => {
    const times = (p50Ms: number) => ({ p50Ms, p95Ms: 500 });
    const workspace = (p50Ms: number) => ({
      rounds: 10,
      files: 200,
      commit: times(p50Ms),
      bundle: times(1),
      fetch: times(1),
    });
    expect(verdicts({ machine, workspace: workspace(100) })).toEqual([true]);
    expect(verdicts({ machine, workspace: workspace(100.1) })).toEqual([false]);
  });

  it('want programs of builds to start soon, where there is a sandbox', () => {
    const start = (p50Ms: number) => ({ p50Ms, p95Ms: 1000 });
    const sandbox = (p50Ms: number) => ({ rounds: 20, plain: start(1), sandbox: start(p50Ms) });
    expect(verdicts({ machine, sandbox: sandbox(50) })).toEqual([true]);
    expect(verdicts({ machine, sandbox: sandbox(50.1) })).toEqual([false]);
    expect(verdicts({ machine, sandbox: { absent: 'not installed' } })).toEqual([]);
  });

  it('say nothing of a case that was left out', () => {
    expect(targetsOf({ machine })).toEqual([]);
  });
});
