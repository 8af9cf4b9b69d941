import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from './api-error.ts';
import type { Client, EventReply, HandoffReply, HistoryReply } from './client.ts';

/** One line of a build's audit, with the handoff that it made. */
export type WatchedRow = EventReply & Readonly<{ handoff: HandoffReply | null }>;

export type WatchOptions = Readonly<{
  signal?: AbortSignal | undefined;
  /** How often the audit is asked for, in ms; 150 by default. */
  pollMs?: number;
  /** How long an API that has answered before may stay away, in ms; 60 000 by default. */
  patienceMs?: number;
}>;

const POLL_MS = 150;
const PATIENCE_MS = 60_000;
/** Without new rows, the status is asked for after this many looks: a terminated build writes no last row. */
const LOOKS_BEFORE_STATUS = 10;

/** What passes by itself; everything else ends the watching. */
const PASSING: ReadonlySet<string> = new Set([
  'unreachable',
  'no_answer',
  'rate_limited',
  'no_worker',
  'mirror_unavailable',
  'temporal_unreachable',
]);

type Watched = Pick<Client, 'history' | 'status'>;

/**
 * The audit of a build as it happens: every row once, in order. Ends when the build is over and its last row was given;
 * a parked build is waited for.
 * @throws ApiError when the API refuses, or stays away longer than `patienceMs`; the signal's reason when it aborts
 */
export async function* watch(
  client: Watched,
  workflowId: string,
  options: WatchOptions = {},
): AsyncGenerator<WatchedRow, void> {
  const { signal, pollMs = POLL_MS } = options;
  const ask = patiently(options);
  const reader = createReader();
  let idleLooks = 0;
  let over = false;
  for (;;) {
    const page = await ask(() => client.history(workflowId, { cursor: reader.cursor() }, { signal }));
    const rows = reader.read(page);
    yield* rows;
    idleLooks = rows.length > 0 ? 0 : idleLooks + 1;
    if (page.next_cursor !== null) continue;
    // Only a look that began after the end is known to have seen every row.
    if (over && rows.length === 0) return;
    if (reader.ended() || idleLooks >= LOOKS_BEFORE_STATUS) {
      const { status, source } = await ask(() => client.status(workflowId, { signal }));
      // While the workflow itself answers, it may still write rows (a late result after an abort).
      over = (status === 'complete' || status === 'cancelled') && source !== 'workflow';
      idleLooks = 0;
    }
    if (!over) await sleep(pollMs, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
  }
}

/** Repeats a call over short absences, once the API has answered at all. */
function patiently({ signal, pollMs = POLL_MS, patienceMs = PATIENCE_MS }: WatchOptions) {
  let answeredAtMs: number | null = null;
  return async <T>(call: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        const reply = await call();
        answeredAtMs = Date.now();
        return reply;
      } catch (error) {
        const passes = error instanceof ApiError && PASSING.has(error.code);
        if (!passes || answeredAtMs === null || Date.now() - answeredAtMs > patienceMs) throw error;
        const waitMs = Math.max(pollMs, (error.facts.retryAfterS ?? 0) * 1000);
        await sleep(waitMs, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
      }
    }
  };
}

/** Handoffs have no id of their own; a row and its handoff share number and time, and no two branches share both. */
const keyOf = ({ seq, timestamp }: Pick<EventReply, 'seq' | 'timestamp'>): string => `${seq} ${timestamp}`;

/**
 * Reads pages that overlap: a last page has no cursor behind it, so it is asked for again until it is full. Handoffs are
 * fewer than events, so that a page never has an event without its handoff being there or seen.
 */
function createReader() {
  const seen = new Set<string>();
  const handoffs = new Map<string, HandoffReply>();
  let cursor: string | null = null;
  let ended = false;
  return {
    cursor: () => cursor,
    ended: () => ended,
    read(page: HistoryReply): WatchedRow[] {
      for (const handoff of page.handoffs) handoffs.set(keyOf(handoff), handoff);
      const rows = page.events.filter(({ id }) => !seen.has(id));
      if (page.next_cursor !== null) cursor = page.next_cursor;
      return rows.map((event) => {
        seen.add(event.id);
        ended ||= !event.undone && (event.event_type === 'completed' || event.event_type === 'aborted');
        return { ...event, handoff: handoffs.get(keyOf(event)) ?? null };
      });
    },
  };
}
