import type { EventReply, HandoffReply, HistoryReply, LiveEvent } from './contract.ts';

/** One line of a build's audit, with the handoff that it made. */
export type WatchedRow = EventReply & Readonly<{ handoff: HandoffReply | null }>;

/** Gives every row once, wherever it comes from. */
export type RowReader = Readonly<{
  /** Where the next page of the history begins. */
  cursor(): string | null;
  /** The id of the last row that was new; null without any. */
  lastId(): string | null;
  /** True behind the row that ends a build; few may follow it. */
  ended(): boolean;
  read(page: HistoryReply): WatchedRow[];
  take(event: LiveEvent): WatchedRow[];
}>;

/** Handoffs have no id of their own; a row and its handoff share number and time, and no two branches share both. */
const keyOf = ({ seq, timestamp }: Pick<EventReply, 'seq' | 'timestamp'>): string => `${seq} ${timestamp}`;

/**
 * Pages overlap: a last page has no cursor behind it, so it is asked for again until it is full. Handoffs are fewer than
 * events, so that a page never has an event without its handoff being there or seen.
 */
export function createRowReader(): RowReader {
  const seen = new Set<string>();
  const handoffs = new Map<string, HandoffReply>();
  let cursor: string | null = null;
  let lastId: string | null = null;
  let ended = false;
  const onlyNew = (rows: readonly WatchedRow[]): WatchedRow[] => {
    const added = rows.filter(({ id }) => !seen.has(id));
    for (const { id, undone, event_type: type } of added) {
      seen.add(id);
      lastId = id;
      ended ||= !undone && (type === 'completed' || type === 'aborted');
    }
    return added;
  };
  return {
    cursor: () => cursor,
    lastId: () => lastId,
    ended: () => ended,
    read: (page) => {
      for (const handoff of page.handoffs) handoffs.set(keyOf(handoff), handoff);
      if (page.next_cursor !== null) cursor = page.next_cursor;
      return onlyNew(page.events.map((event) => ({ ...event, handoff: handoffs.get(keyOf(event)) ?? null })));
    },
    take: ({ workflow_id: _, ...row }) => onlyNew([row]),
  };
}
