import { pause } from '../pause.ts';
import type { ChangedRun } from './closed-run.ts';
import { type Repairs, repair } from './repair.ts';

/** How soon an end is found, beside what visibility takes. A look without news is one query to Temporal. */
const LOOK_MS = 2_000;
const AWAY_LIMIT_MS = 10_000;
/** Visibility is behind, and clocks differ. What it tells later than that is found by the next round. */
const OVERLAP_MS = 60_000;
/** Shorter, because builds begin all the time and end otherwise than by completing seldom. */
const STARTED_OVERLAP_MS = 10_000;
/** How far the first look goes back: what ended while no API was there. */
const FIRST_LOOK_MS = 24 * 3_600_000;
/** Between rounds through all builds that are open by the mirror. */
const ROUND_MS = 600_000;
/** Builds that wrote to the mirror a moment ago are left out of a round. */
const SILENT_MS = 60_000;
/** Builds of a round that one look asks Temporal about. */
const ROUND_STEP = 50;
const AT_ONCE = 4;

export type ReconcilerOptions = Repairs &
  Readonly<{ now: () => number; lookMs?: number; roundMs?: number; silentMs?: number }>;

/** Follows what happens to builds from outside: see docs/decisions/0018. */
export type Reconciler = Readonly<{
  /** Looks after a build whose run was seen to have ended. Returns at once and never fails. */
  notice(workflowId: string): void;
  /** Waits for the look that is under way; every step of it has a deadline. */
  close(): Promise<void>;
}>;

type OpenPlace = Awaited<ReturnType<Repairs['mirror']['silent']>>[number];

type State = {
  /** Up to when all that ended was dealt with, by this process's clock; null before the first look. */
  lookedAtMs: number | null;
  /** When runs changed that were dealt with, while looks may still tell of them; by {@link keyOf}. */
  readonly dealt: Map<string, number>;
  roundAtMs: number | null;
  /** Where the round is; null while there is none. */
  round: Readonly<{ after: OpenPlace | null }> | null;
  readonly noticed: Map<string, Promise<void>>;
  failures: number;
  /** Aborted when the reconciler is closed. */
  readonly closing: AbortController;
};

/** Begins to look at once, and goes on until it is closed, whoever is away meanwhile. */
export function startReconciler(options: ReconcilerOptions): Reconciler {
  const state: State = {
    ...{ lookedAtMs: null, dealt: new Map(), roundAtMs: null, round: null, noticed: new Map() },
    ...{ failures: 0, closing: new AbortController() },
  };
  const looking = loop(state, options);
  return {
    notice: (workflowId) => {
      if (state.closing.signal.aborted || state.noticed.has(workflowId) || state.noticed.size >= AT_ONCE) return;
      // What fails here is found by the next look.
      const work = repair(workflowId, options)
        .catch((error: unknown) => options.log.debug({ workflowId, err: error }, 'an end was not written yet'))
        .finally(() => state.noticed.delete(workflowId));
      state.noticed.set(workflowId, work);
    },
    close: async () => {
      state.closing.abort();
      await Promise.all([looking, ...state.noticed.values()]);
    },
  };
}

async function loop(state: State, options: ReconcilerOptions): Promise<void> {
  const { log, lookMs = LOOK_MS } = options;
  while (!state.closing.signal.aborted) {
    try {
      await look(state, options);
      if (state.failures > 0) log.info('ends of builds are followed again');
      state.failures = 0;
    } catch (error) {
      if (state.failures === 0 && !state.closing.signal.aborted)
        log.warn({ err: error }, 'ends of builds wait: Temporal or the mirror is away');
      state.failures += 1;
    }
    const pauseMs = Math.min(lookMs * 2 ** state.failures, Math.max(lookMs, AWAY_LIMIT_MS));
    await pause(pauseMs, state.closing.signal);
  }
}

/** A run that began and then ended has changed twice. */
const keyOf = ({ runId, isOpen }: ChangedRun): string => `${runId} ${isOpen}`;

async function look(state: State, options: ReconcilerOptions): Promise<void> {
  const atMs = options.now();
  const fromMs = state.lookedAtMs ?? atMs - FIRST_LOOK_MS;
  await lookAtChanged(state, options, { endedMs: fromMs - OVERLAP_MS, startedMs: fromMs - STARTED_OVERLAP_MS });
  // A look that failed half-way is made again, so that it misses nothing.
  state.lookedAtMs = atMs;
  await goRound(state, options, atMs);
}

type Since = Parameters<Repairs['runs']['changedSince']>[0];

async function lookAtChanged(state: State, options: ReconcilerOptions, since: Since): Promise<void> {
  const { dealt } = state;
  for (const [run, changedAtMs] of dealt) if (changedAtMs < since.endedMs) dealt.delete(run);
  for await (const page of options.runs.changedSince(since)) {
    const fresh = page.filter((run) => !dealt.has(keyOf(run)));
    const unsettled = new Set(await options.mirror.unsettled(fresh));
    await repairAll(state, options, [...unsettled]);
    if (state.closing.signal.aborted) return;
    for (const run of fresh) dealt.set(keyOf(run), run.changedAtMs);
  }
}

/** A part of a round through the builds that are open by the mirror, whichever way their end was missed. */
async function goRound(state: State, options: ReconcilerOptions, atMs: number): Promise<void> {
  const { roundMs = ROUND_MS, silentMs = SILENT_MS, mirror } = options;
  if (state.roundAtMs === null || atMs - state.roundAtMs >= roundMs) {
    state.round ??= { after: null };
    state.roundAtMs = atMs;
  }
  if (state.round === null || state.closing.signal.aborted) return;
  const silent = await mirror.silent(state.round.after, atMs - silentMs, ROUND_STEP);
  await repairAll(
    state,
    options,
    silent.map(({ workflowId }) => workflowId),
  );
  const last = silent.at(-1);
  state.round = last && silent.length === ROUND_STEP ? { after: last } : null;
}

async function repairAll(state: State, options: ReconcilerOptions, ids: readonly string[]): Promise<void> {
  const queue = [...ids];
  const work = async (): Promise<void> => {
    for (let id = queue.shift(); id !== undefined && !state.closing.signal.aborted; id = queue.shift())
      await repair(id, options);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, queue.length) }, work));
}
