import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ModelCall } from '../../machine/build.ts';
import type { Work } from '../../machine/commands.ts';
import type { ModelRoute } from '../../models.ts';
import { FAILURE_TIMEOUT } from '../../workflows/failure-types.ts';
import type { ModelCall as AskedCall } from '../llm/ask.ts';

/**
 * A beat is how work hears that it was cancelled, and costs the server a write: one a second where few work, fewer where many do
 * (with 300 builds in flight one a second was a seventh of all processor time). Two fit into the 5 s after which the server
 * takes a silent worker for dead.
 */
const BEATS_PER_SECOND = 25;
const SHORTEST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 2500;
/**
 * Calls of one attempt that travel with heartbeats and results, at most some 12 kB: more than the rounds of tools, three
 * answers with their repairs and the fallbacks make in one try. Of more, the first go.
 */
const CALL_LIMIT = 40;
const ERROR_LIMIT_CHARS = 160;

/** Meters of this process that run. */
let running = 0;

const pauseMs = (): number =>
  Math.min(Math.max((running * 1000) / BEATS_PER_SECOND, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);

/** Calls again and again until it is stopped. */
function startBeats(beat: () => void): { stop(): void } {
  const next = (): NodeJS.Timeout =>
    setTimeout(() => {
      beat();
      timer = next();
    }, pauseMs());
  running += 1;
  let timer = next();
  return {
    stop: () => {
      running -= 1;
      clearTimeout(timer);
    },
  };
}

/**
 * Counts the active time of one attempt over all its tries, reports it with every heartbeat (so that it survives the
 * worker), and ends the work when the build's active time is used up or the workflow cancels.
 */
export type WorkMeter = Readonly<{
  /** Aborts on cancellation, worker shutdown, or the end of the active time. */
  signal: AbortSignal;
  remainingMs(): number;
  /** True once the active time is used up. */
  expired(): boolean;
  addCall(call: AskedCall): void;
  /** A call that was cut off: what it cost in tokens is not known. */
  addCancelledCall(route: Pick<ModelRoute, 'model' | 'provider'>, durationMs: number): void;
  report(): Work;
  stop(): void;
}>;

export function startMeter(context: Context, budgetMs: number): WorkMeter {
  const before = readReport(context.info.heartbeatDetails);
  const startedAt = performance.now();
  const calls = [...before.calls];
  const worked = (): number => Math.round(before.activeMs + performance.now() - startedAt);
  const remainingMs = (): number => Math.max(0, budgetMs - worked());
  const report = (): Work => ({ activeMs: worked(), calls: calls.slice(-CALL_LIMIT) });
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(timedOut(report())), remainingMs());
  const beats = startBeats(() => context.heartbeat(report()));
  const add = (call: Omit<ModelCall, 'id'>): void => {
    calls.push(recordOf(call, `${context.info.attempt}.${calls.length}`));
  };
  return {
    signal: AbortSignal.any([context.cancellationSignal, deadline.signal]),
    remainingMs,
    expired: () => deadline.signal.aborted || remainingMs() === 0,
    addCall: add,
    addCancelledCall: ({ model, provider }, durationMs) => {
      add({ model, provider, promptTokens: 0, completionTokens: 0, durationMs, outcome: 'cancelled' });
    },
    report,
    stop: () => {
      clearTimeout(timer);
      beats.stop();
    },
  };
}

/** The failure by which the workflow learns that the active time is used up, and what was worked. */
export function timedOut(work: Work): ApplicationFailure {
  const message = 'the active time of the build is used up';
  return ApplicationFailure.create({ type: FAILURE_TIMEOUT, message, nonRetryable: true, details: [work] });
}

function readReport(details: unknown): Work {
  const { activeMs, calls } = (details ?? {}) as Partial<Work>;
  return { activeMs: typeof activeMs === 'number' ? activeMs : 0, calls: Array.isArray(calls) ? calls : [] };
}

const recordOf = ({ error, ...call }: Omit<ModelCall, 'id'>, id: string): ModelCall => ({
  id,
  ...call,
  durationMs: Math.round(call.durationMs),
  ...(error === undefined ? {} : { error: error.slice(0, ERROR_LIMIT_CHARS) }),
});
