import { pause } from '../../pause.ts';
import type { EventFeed, FeedRow } from './feed.ts';
import { createHorizon, type Horizon } from './horizon.ts';

/** How soon an event is seen, in ms. A look at a mirror without news is one statement of some 0.1 ms. */
const LOOK_MS = 150;
/** Writers are done within milliseconds: their rows are worth looks of their own, unless one keeps the table for long. */
const WRITERS_DONE_MS = 30;
const AWAY_LIMIT_MS = 5_000;
/** Positions that are read at once. */
const STRETCH_LIMIT = 500;

type Wanted = Parameters<EventFeed['rows']>[0];

export type TailOptions = Readonly<{
  feed: EventFeed;
  lookMs?: number | undefined;
  /** False: nobody is there, so that nothing is looked at until `wake`. */
  isWatched(): boolean;
  /** Of whom rows are handed out. */
  wanted(): Wanted;
  /** Rows behind the position before; those of one build in their order. */
  onRows(rows: readonly FeedRow[]): void;
  /** The mirror is away, or (null) is back. Told once each. */
  onAway(error: unknown): void;
}>;

/** Follows the end of the feed for all watchers of a process at once. */
export type Tail = Readonly<{
  /** All rows up to here were handed out; null while nobody knows where the feed ends. */
  position(): number | null;
  /** Rows behind the position are being read: whoever is not wanted yet will not get them. */
  isReading(): boolean;
  /** Resolves when a look has succeeded, or the tail is closed. */
  nextLook(): Promise<void>;
  wake(): void;
  close(): void;
}>;

type State = {
  position: number | null;
  horizon: Horizon;
  /** Looks in a row that found rows which may not be read yet. */
  unsettled: number;
  reading: boolean;
  looping: boolean;
  /** Aborted when the tail is closed. */
  readonly closing: AbortController;
  failures: number;
  waiting: (() => void)[];
};

/** Makes nothing happen until it is woken. */
export function createTail(options: TailOptions): Tail {
  const state: State = {
    ...{ position: null, horizon: createHorizon(), reading: false, looping: false },
    ...{ unsettled: 0, failures: 0, waiting: [], closing: new AbortController() },
  };
  return {
    position: () => state.position,
    isReading: () => state.reading,
    nextLook: () =>
      new Promise((resolve) => {
        if (state.closing.signal.aborted) resolve();
        else state.waiting.push(resolve);
      }),
    wake: () => {
      if (!state.looping && !state.closing.signal.aborted) void loop(state, options);
    },
    close: () => {
      state.closing.abort();
      letGo(state);
    },
  };
}

function letGo(state: State): void {
  for (const go of state.waiting.splice(0)) go();
}

async function loop(state: State, options: TailOptions): Promise<void> {
  state.looping = true;
  while (!state.closing.signal.aborted && options.isWatched()) {
    try {
      await look(state, options);
      if (state.failures > 0) options.onAway(null);
      state.failures = 0;
      letGo(state);
    } catch (error) {
      if (state.failures === 0 && !state.closing.signal.aborted) options.onAway(error);
      state.failures += 1;
    }
    await pause(pauseMs(state, options), state.closing.signal);
  }
  state.looping = false;
  // What happens while nobody watches is read from the mirror by who comes next.
  state.position = null;
  state.horizon = createHorizon();
  letGo(state);
}

function pauseMs({ failures, unsettled }: State, { lookMs = LOOK_MS }: TailOptions): number {
  if (failures > 0) return Math.min(lookMs * 2 ** failures, AWAY_LIMIT_MS);
  return unsettled === 0 ? lookMs : Math.min(WRITERS_DONE_MS * unsettled, lookMs);
}

async function look(state: State, options: TailOptions): Promise<void> {
  const { feed } = options;
  const end = await feed.end();
  const settled = end === state.position ? end : state.horizon.look(end, await feed.writers());
  state.unsettled = settled === end ? 0 : state.unsettled + 1;
  if (settled === null) return;
  state.position ??= settled;
  await handOut(state, settled, options);
}

/** While nobody is live, the position may leap: who catches up reads for itself. */
async function handOut(state: State, settled: number, { feed, wanted, onRows }: TailOptions): Promise<void> {
  for (let after = state.position ?? settled; after < settled && !state.closing.signal.aborted; ) {
    const { builds, projects } = wanted();
    const isWanted = builds.length + projects.length > 0;
    const upTo = isWanted ? Math.min(after + STRETCH_LIMIT, settled) : settled;
    state.reading = true;
    try {
      const rows = isWanted ? await feed.rows({ builds, projects }, { after, upTo }) : [];
      after = upTo;
      state.position = upTo;
      onRows(rows);
    } finally {
      state.reading = false;
    }
  }
}
