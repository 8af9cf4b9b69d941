import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from './api-error.ts';
import type { Client } from './client.ts';
import { followLive } from './follow-live.ts';
import { createRowReader, type WatchedRow } from './watched-rows.ts';

export type { WatchedRow } from './watched-rows.ts';

export type WatchOptions = Readonly<{
  signal?: AbortSignal | undefined;
  /** How often the history is asked for where live events do not come, in ms; 150 by default. */
  pollMs?: number;
  /** How long an API that has answered before may stay away, in ms; 60 000 by default. */
  patienceMs?: number;
}>;

const POLL_MS = 150;
const PATIENCE_MS = 60_000;
/** Without new rows, the status is asked for after this many looks: a terminated build writes no last row. */
const LOOKS_BEFORE_STATUS = 10;
/** Where events come live, the history is looked at only after a silence of so many polls, and less often as it lasts. */
const TRUSTED_POLLS = 7;
const SILENT_POLLS_LIMIT = 70;

/** What passes by itself; everything else ends the watching. */
const PASSING: ReadonlySet<string> = new Set([
  'unreachable',
  'no_answer',
  'rate_limited',
  'no_worker',
  'mirror_unavailable',
  'temporal_unreachable',
]);

type Watched = Pick<Client, 'history' | 'status' | 'events'>;

/**
 * The audit of a build as it happens: every row once, in order. Rows come live from the mirror; the history, which knows
 * also what the mirror does not have yet, is asked where they do not. Ends when the build is over and its last row was
 * given; a parked build is waited for.
 * @throws ApiError when the API refuses, or stays away longer than `patienceMs`; the signal's reason when it aborts
 */
export async function* watch(
  client: Watched,
  workflowId: string,
  options: WatchOptions = {},
): AsyncGenerator<WatchedRow, void> {
  const { signal, pollMs = POLL_MS } = options;
  const ask = patiently(options);
  const reader = createRowReader();
  const live = followLive(client, workflowId, { signal, pollMs, lastId: reader.lastId });
  let silentPolls = 1;
  let idleLooks = 0;
  let over = false;
  try {
    for (;;) {
      const page = await ask(() => client.history(workflowId, { cursor: reader.cursor() }, { signal }));
      const rows = reader.read(page);
      yield* rows;
      if (page.next_cursor !== null) continue;
      // Only a look that began after the end is known to have seen every row.
      if (over && rows.length === 0) return;
      if (rows.length > 0) [idleLooks, silentPolls] = [0, 1];
      else idleLooks += live.isOpen() ? LOOKS_BEFORE_STATUS : 1;
      if (reader.ended() || idleLooks >= LOOKS_BEFORE_STATUS) {
        const { status, source } = await ask(() => client.status(workflowId, { signal }));
        // While the workflow itself answers, it may still write rows (a late result after an abort).
        over = (status === 'complete' || status === 'cancelled') && source !== 'workflow';
        idleLooks = 0;
        if (over) continue;
      }
      for (;;) {
        const isPolled = reader.ended() || !live.isOpen();
        const event = await live.next(isPolled ? pollMs : silentPolls * pollMs);
        if (event === null) break;
        yield* reader.take(event);
        silentPolls = TRUSTED_POLLS;
        if (reader.ended()) break;
      }
      silentPolls = Math.min(2 * silentPolls, SILENT_POLLS_LIMIT);
    }
  } finally {
    live.close();
  }
}

/** Repeats a call over short absences, once the API has answered at all. */
function patiently({ signal, pollMs = POLL_MS, patienceMs = PATIENCE_MS }: WatchOptions) {
  let hasAnswered = false;
  return async <T>(call: () => Promise<T>): Promise<T> => {
    const since = Date.now();
    for (;;) {
      try {
        const reply = await call();
        hasAnswered = true;
        return reply;
      } catch (error) {
        const passes = error instanceof ApiError && PASSING.has(error.code);
        if (!passes || !hasAnswered || Date.now() - since > patienceMs) throw error;
        const waitMs = Math.max(pollMs, (error.facts.retryAfterS ?? 0) * 1000);
        await sleep(waitMs, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
      }
    }
  };
}
