import type { Calls } from './cases/calls.ts';
import type { ByName, Latency, Throughput } from './cases/compare.ts';
import type { Crash } from './cases/crash.ts';
import { type Lists, STATS } from './cases/lists.ts';
import type { Load } from './cases/load.ts';
import type { Memory } from './cases/memory.ts';
import type { RealWork } from './cases/real-work.ts';
import type { Requests } from './cases/requests.ts';
import type { SandboxStart } from './cases/sandbox.ts';
import type { Signals } from './cases/signals.ts';
import type { WorkspaceTimes } from './cases/workspace.ts';
import type { HistoryFigures } from './measure/histories.ts';

/** All that a run of the bench found; a case that was left out is missing. */
export type Figures = {
  machine: Readonly<{ cpus: number; cpuModel: string; node: string; loadBefore: number }>;
  latency?: ByName<Latency>;
  throughput?: ByName<Throughput>;
  /** Of one run each: the last of several that were the same but for a few bytes. */
  histories?: ByName<HistoryFigures>;
  memory?: Memory;
  load?: Load;
  calls?: Calls;
  requests?: Requests;
  lists?: Lists;
  signals?: Signals;
  sandbox?: SandboxStart;
  workspace?: WorkspaceTimes;
  crash?: Crash;
  real?: Readonly<{ straight: RealWork; withSendBack: RealWork; instantPhases: RealWork['phases'] }>;
};

/** What the bench is to reach. */
export type Target = Readonly<{ what: string; found: string; wanted: string; reached: boolean }>;

const LATENCY_RATIO = 1.5;
const THROUGHPUT_RATIO = 0.7;
const LOAD_RATIO = 1.3;
const STATUS_RATIO = 3;
const STATS_LIMIT_MS = 50;
const SIGNAL_LIMIT_MS = 200;
const SANDBOX_LIMIT_MS = 50;
const COMMIT_LIMIT_MS = 100;
const MALFORMED_EVENTS_EACH = 5;
const CRASH_EXTRA_MS = 10_000;
const ACTIVITY_LIMIT = 8;
const EVENT_LIMIT = 64;
const HISTORY_LIMIT_BYTES = 40_000;
const PAYLOAD_LIMIT_BYTES = 32_000;

const atMost = (what: string, found: number, limit: number, show: (value: number) => string): Target => ({
  what,
  found: show(found),
  wanted: `<= ${show(limit)}`,
  reached: found <= limit,
});

const ratio = (value: number): string => value.toFixed(2);
const tenths = (value: number): string => value.toFixed(1);
const whole = (value: number): string => String(Math.round(value));
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function comparisons({ latency, throughput }: Figures): Target[] {
  const [build, six] = [latency?.build, latency?.['floor-six']];
  const [many, manySix] = [throughput?.build, throughput?.['floor-six']];
  const flushes = (many ?? build)?.perRun;
  return [
    ...(build && six ? [atMost('p50 of a build / of floor-six', build.p50Ms / six.p50Ms, LATENCY_RATIO, ratio)] : []),
    ...(many && manySix
      ? [
          {
            what: 'builds/s at 32 in flight / of floor-six',
            found: ratio(many.perSecond / manySix.perSecond),
            wanted: `>= ${ratio(THROUGHPUT_RATIO)}`,
            reached: many.perSecond / manySix.perSecond >= THROUGHPUT_RATIO,
          },
        ]
      : []),
    ...(flushes ? [atMost('SQL statements per flush', flushes.statements / flushes.flushes, 1, ratio)] : []),
  ];
}

function sizes({ histories }: Figures): Target[] {
  const build = histories?.build;
  if (!build) return [];
  return [
    atMost('activities of a build', build.activities, ACTIVITY_LIMIT, whole),
    atMost('history events of a build', build.events, EVENT_LIMIT, whole),
    atMost('history bytes of a build', build.bytes, HISTORY_LIMIT_BYTES, whole),
    atMost('largest payload in bytes', build.largestPayloadBytes, PAYLOAD_LIMIT_BYTES, whole),
  ];
}

function underLoad({ load, crash }: Figures): Target[] {
  const loaded = load
    ? [
        atMost(
          `last of ${load.builds} builds in flight / ideal`,
          load.lastCompletedMs / load.idealMs,
          LOAD_RATIO,
          ratio,
        ),
        atMost('activity timeouts and failed tries meanwhile', activityTroubles(load.troubles), 0, whole),
        atMost('workflow task failures and timeouts meanwhile', taskTroubles(load.troubles), 0, whole),
      ]
    : [];
  const late = crash ? crash.restartToLastMs - crash.modelRemainingMs : 0;
  return [
    ...loaded,
    ...(crash
      ? [atMost(`kill -9 with ${crash.builds} in flight: beyond the model's time`, late, CRASH_EXTRA_MS, seconds)]
      : []),
  ];
}

function overHttp({ calls, requests }: Figures): Target[] {
  const generated = requests
    ? [atMost('generated requests with a 5xx, or not answered as described', requests.faulty, 0, whole)]
    : [];
  if (!calls) return generated;
  const { status, 'bare Temporal query': query } = calls.latencies;
  const asked = status.p50Ms / query.p50Ms;
  return [atMost('p50 of GET status / of a bare Temporal query', asked, STATUS_RATIO, ratio), ...generated];
}

function inTheMirror({ lists }: Figures): Target[] {
  const stats = lists?.latencies[STATS];
  return stats ? [atMost(`p95 of the stats of ${lists.builds} builds, ms`, stats.p95Ms, STATS_LIMIT_MS, tenths)] : [];
}

function byHand({ signals }: Figures): Target[] {
  if (!signals) return [];
  const { p50Ms, malformed, eventsAdded } = signals;
  return [
    atMost('p50 of a signal until GET status tells its effect, ms', p50Ms, SIGNAL_LIMIT_MS, tenths),
    atMost(`events that ${malformed} malformed signals add`, eventsAdded, MALFORMED_EVENTS_EACH * malformed, whole),
  ];
}

const inTheSandbox = ({ sandbox }: Figures): Target[] =>
  sandbox && 'sandbox' in sandbox
    ? [atMost('p50 of a start in the sandbox, ms', sandbox.sandbox.p50Ms, SANDBOX_LIMIT_MS, tenths)]
    : [];

function inTheWorkspace({ workspace }: Figures): Target[] {
  if (!workspace) return [];
  const { files, commit } = workspace;
  return [atMost(`p50 of a commit of ${files} files with its bundle, ms`, commit.p50Ms, COMMIT_LIMIT_MS, tenths)];
}

export const activityTroubles = ({ activityRetries, activityTimeouts, activityFailures }: Load['troubles']): number =>
  activityRetries + activityTimeouts + activityFailures;

export const taskTroubles = ({ workflowTaskFailures, workflowTaskTimeouts }: Load['troubles']): number =>
  workflowTaskFailures + workflowTaskTimeouts;

/** The targets of which the figures say something. */
export const targetsOf = (figures: Figures): Target[] => [
  ...comparisons(figures),
  ...sizes(figures),
  ...underLoad(figures),
  ...overHttp(figures),
  ...inTheMirror(figures),
  ...byHand(figures),
  ...inTheWorkspace(figures),
  ...inTheSandbox(figures),
];
