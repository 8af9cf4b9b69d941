import { CALLS } from './cases/calls.ts';
import type { Latency, Throughput } from './cases/compare.ts';
import type { RealWork } from './cases/real-work.ts';
import { activityTroubles, type Figures, targetsOf, taskTroubles } from './figures.ts';
import type { Cost } from './measure/resources.ts';

type Row = readonly string[];

/** Columns as wide as their widest cell; all but the first to the right. */
export function table(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((row) => `  ${row.map(cell).join('  ').trimEnd()}`).join('\n');
}

const SUBJECTS = ['floor-empty', 'floor-six', 'build'] as const;
const tenths = (value: number | null | undefined): string => (value == null ? '-' : value.toFixed(1));
const whole = (value: number | null | undefined): string => (value == null ? '-' : String(Math.round(value)));
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function comparison({ latency, throughput, histories }: Figures): string | null {
  if (!latency && !throughput && !histories) return null;
  const row = (name: string, of: (subject: string) => string): Row => [name, ...SUBJECTS.map(of)];
  const one = (of: (figure: Latency) => number | null) => (subject: string) =>
    tenths(latency && maybe(latency, subject, of));
  const many = (of: (figure: Throughput) => number | null) => (subject: string) =>
    tenths(throughput && maybe(throughput, subject, of));
  const costs = (of: (cost: Cost) => number | null) =>
    throughput ? many(({ perRun }) => of(perRun)) : one(({ perRun }) => of(perRun));
  const sizes = (key: keyof NonNullable<Figures['histories']>[string]) => (subject: string) =>
    whole(histories?.[subject]?.[key]);
  return table([
    ['', ...SUBJECTS],
    row(
      'one at a time: p50, ms',
      one(({ p50Ms }) => p50Ms),
    ),
    row(
      'one at a time: p95, ms',
      one(({ p95Ms }) => p95Ms),
    ),
    row(
      'one at a time: worker CPU, ms each',
      one(({ perRun }) => perRun.workerCpuMs),
    ),
    row(
      '32 in flight: a second',
      many(({ perSecond }) => perSecond),
    ),
    row(
      '32 in flight: worker CPU, ms each',
      many(({ perRun }) => perRun.workerCpuMs),
    ),
    row(
      '  Temporal server CPU, ms each',
      many(({ perRun }) => perRun.temporalCpuMs),
    ),
    row(
      '  PostgreSQL CPU, ms each',
      many(({ perRun }) => perRun.postgresCpuMs),
    ),
    row(
      '  model CPU, ms each',
      many(({ perRun }) => perRun.modelCpuMs),
    ),
    row(
      '  this driver CPU, ms each',
      many(({ perRun }) => perRun.driverCpuMs),
    ),
    row('history events', sizes('events')),
    row('history bytes', sizes('bytes')),
    row('activities', sizes('activities')),
    row('local activities (markers)', sizes('markers')),
    row('largest payload, bytes', sizes('largestPayloadBytes')),
    row(
      'mirror flushes',
      costs(({ flushes }) => flushes),
    ),
    row(
      'SQL statements',
      costs(({ statements }) => statements),
    ),
    row(
      'writing transactions',
      costs(({ writeTransactions }) => writeTransactions),
    ),
  ]);
}

function maybe<T>(
  figures: Readonly<Record<string, T>>,
  subject: string,
  of: (figure: T) => number | null,
): number | null {
  const figure = figures[subject];
  return figure === undefined ? null : of(figure);
}

function others({ memory, load, crash }: Figures): string | null {
  const rows: Row[] = [];
  if (memory) {
    const { builds, beforeBytes, afterBytes, bytesPerBuild } = memory;
    rows.push(['worker memory before and after', `${megabytes(beforeBytes)}, ${megabytes(afterBytes)}`]);
    rows.push([`  slope over ${builds} builds in a row`, `${(bytesPerBuild / 1024).toFixed(1)} kB per build`]);
  }
  if (load) {
    rows.push([
      `${load.builds} in flight, model ${seconds(load.delayMs)} a call: last done`,
      seconds(load.lastCompletedMs),
    ]);
    rows.push(['  floor and model alone would take', seconds(load.idealMs)]);
    rows.push(['  activity timeouts and failed tries', whole(activityTroubles(load.troubles))]);
    rows.push(['  workflow task failures and timeouts', whole(taskTroubles(load.troubles))]);
    rows.push(["  tasks not taken in time from the worker's own queue", whole(load.troubles.stickyTimeouts)]);
  }
  if (crash) {
    rows.push([`kill -9 of the worker, ${crash.builds} in flight: last done`, seconds(crash.restartToLastMs)]);
    rows.push(['  model alone still needed', seconds(crash.modelRemainingMs)]);
    rows.push(['  activity tries repeated', whole(crash.troubles.activityRetries)]);
    rows.push(['  workflow task timeouts', whole(crash.troubles.workflowTaskTimeouts + crash.troubles.stickyTimeouts)]);
  }
  return rows.length === 0 ? null : table(rows);
}

function overHttp({ calls }: Figures): string | null {
  if (!calls) return null;
  const { builds, delayMs, rounds, latencies } = calls;
  return table([
    [`${builds} builds running, model ${seconds(delayMs)} a call; ${rounds} of each`, 'p50, ms', 'p95, ms'],
    ...CALLS.map((name) => [name, tenths(latencies[name].p50Ms), tenths(latencies[name].p95Ms)]),
  ]);
}

function generated({ requests: found }: Figures): string | null {
  if (!found) return null;
  const { requests, inFlight, perSecond, byStatus, faulty, faults } = found;
  const rows = [
    [`${requests} requests, ${inFlight} in flight`, `${whole(perSecond)} a second`],
    ...Object.entries(byStatus).map(([status, count]) => [`  answered with ${status}`, whole(count)]),
    ['  5xx, or not as described', whole(faulty)],
  ];
  return [table(rows), ...faults.map((fault) => `  ${fault}`)].join('\n');
}

function inTheMirror({ lists }: Figures): string | null {
  if (!lists) return null;
  const { builds, rounds, latencies } = lists;
  return table([
    [`${builds} builds of a project; ${rounds} of each`, 'p50, ms', 'p95, ms', 'max, ms'],
    ...Object.entries(latencies).map(([name, { p50Ms, p95Ms, maxMs }]) => [name, ...[p50Ms, p95Ms, maxMs].map(tenths)]),
  ]);
}

function byHand({ signals }: Figures): string | null {
  if (!signals) return null;
  const { rounds, p50Ms, p95Ms, malformed, builds, eventsAdded } = signals;
  return table([
    [`${rounds} signals, each until GET status tells its effect: p50, p95, ms`, `${tenths(p50Ms)}, ${tenths(p95Ms)}`],
    [`${malformed} malformed ones to ${builds} builds: events added`, whole(eventsAdded)],
  ]);
}

function inTheSandbox({ sandbox }: Figures): string | null {
  if (!sandbox) return null;
  if ('absent' in sandbox) return `  there is none: ${sandbox.absent}`;
  const row = (name: string, { p50Ms, p95Ms }: typeof sandbox.plain): Row => [name, tenths(p50Ms), tenths(p95Ms)];
  return table([
    [`/bin/true, ${sandbox.rounds} times, one at a time`, 'p50, ms', 'p95, ms'],
    row('as a plain child process', sandbox.plain),
    row('in the sandbox', sandbox.sandbox),
  ]);
}

function inTheWorkspace({ workspace }: Figures): string | null {
  if (!workspace) return null;
  const { rounds, files, commit, bundle, fetch } = workspace;
  const row = (name: string, { p50Ms, p95Ms }: typeof commit): Row => [name, tenths(p50Ms), tenths(p95Ms)];
  return table([
    [`${rounds} attempts of ${files} files, each on the one before`, 'p50, ms', 'p95, ms'],
    row('commit with its bundle', commit),
    row('  of which the bundle', bundle),
    row('fetch of it with all before it, on a machine with nothing', fetch),
  ]);
}

function realWork({ real }: Figures): string | null {
  if (!real) return null;
  const of = (phases: RealWork['phases'], name: string): string =>
    tenths(phases.find((phase) => phase.name === name)?.p50Ms);
  const { straight, withSendBack, instantPhases } = real;
  return table([
    ['p50, ms', 'instant', 'real', 'with send-back'],
    ['build', '', tenths(straight.p50Ms), tenths(withSendBack.p50Ms)],
    ...withSendBack.phases.map(({ name, p50Ms }) => [
      `  ${name}`,
      of(instantPhases, name),
      of(straight.phases, name),
      tenths(p50Ms),
    ]),
  ]);
}

function targets(figures: Figures): string | null {
  const rows = targetsOf(figures).map(({ what, found, wanted, reached }) => [
    what,
    found,
    wanted,
    reached ? 'reached' : 'NOT REACHED',
  ]);
  return rows.length === 0 ? null : table([['', 'found', 'target', ''], ...rows]);
}

/** The figures as plain text, and what of the targets is reached. */
export function report(figures: Figures): string {
  const { cpus, cpuModel, node, loadBefore } = figures.machine;
  const machine = `${cpus} x ${cpuModel}, Node ${node}; load before the run ${loadBefore.toFixed(2)}`;
  const sections = [
    ['Floor and build, instant model, on one server in one run', comparison(figures)],
    ['Memory, load and a crash', others(figures)],
    ['Calls over HTTP, one at a time', overHttp(figures)],
    ["Requests generated from the API's description", generated(figures)],
    ['Lists and stats, from the mirror', inTheMirror(figures)],
    ['Signals by hand', byHand(figures)],
    ['Programs of builds', inTheSandbox(figures)],
    ['Commits of builds', inTheWorkspace(figures)],
    ['Real work: git, test runs and release of a recipe with files', realWork(figures)],
    ['Targets', targets(figures)],
  ] as const;
  const shown = sections.flatMap(([title, text]) => (text === null ? [] : [`${title}\n${text}`]));
  return [machine, ...shown].join('\n\n');
}
