import type { AuditRow } from '../machine/events.ts';
import type { HistoryReply as LiveRows } from '../workflows/messages.ts';
import type { MirrorEvent, MirrorHandoff, MirrorHistory, RowPage, RowPlace } from './ports.ts';
import type { EventReply, HandoffReply } from './replies.ts';

/** A part of the audit, from the mirror and from the rows that the workflow still holds. */
export type Audit = Readonly<{
  events: readonly MirrorEvent[];
  handoffs: readonly MirrorHandoff[];
  totalHandoffs: number;
  /** False when rows are in neither place that was asked: the mirror is behind by more than the workflow holds. */
  complete: boolean;
}>;

export const EMPTY_HISTORY: MirrorHistory = { branches: [], events: [], handoffs: [], totalHandoffs: 0 };

/** Places are in order of time: whatever a later branch did happened after the reset that began it. */
export const isBehind = (row: RowPlace, after: RowPlace | null): boolean =>
  after === null || row.generation > after.generation || (row.generation === after.generation && row.seq > after.seq);

type Fresh = Readonly<{ rows: readonly (AuditRow & RowPlace)[]; complete: boolean; resetAfterSeq: number | null }>;

/** The rows that the mirror does not have yet: all of them come after those it has. */
function freshRows(live: LiveRows, mirror: MirrorHistory): Fresh {
  const index = mirror.branches.findIndex(({ branch }) => branch === live.branch);
  const known = mirror.branches[index];
  const isReset = known === undefined && mirror.branches.length > 0;
  // A branch that a reset has just begun repeats nothing of the older one up to where that one was confirmed.
  const flushedSeq = known ? known.lastSeq : isReset ? live.flushed_seq : 0;
  const generation = known ? index + 1 : mirror.branches.length + 1;
  const rows = live.rows.filter(({ seq }) => seq > flushedSeq).map((row) => ({ ...row, generation }));
  const [first] = rows;
  const complete = first ? first.seq === flushedSeq + 1 : live.flushed_seq <= flushedSeq;
  return { rows, complete, resetAfterSeq: isReset ? live.flushed_seq : null };
}

/**
 * Joins the mirror's rows with those that the workflow has not flushed yet. `live` must have been asked before the
 * mirror: then whatever was flushed in between is in the mirror's answer.
 */
export function joinAudit(
  mirror: MirrorHistory,
  live: LiveRows | null,
  pages: Readonly<{ events: RowPage | null; handoffs: RowPage | null }>,
): Audit {
  const fresh = live ? freshRows(live, mirror) : { rows: [], complete: true, resetAfterSeq: null };
  const { resetAfterSeq } = fresh;
  const mark = <T extends RowPlace & { undone: boolean }>(row: T): T =>
    resetAfterSeq !== null && row.seq > resetAfterSeq ? { ...row, undone: true } : row;
  const part = <T extends RowPlace & { undone: boolean }>(
    old: readonly T[],
    added: readonly T[],
    page: RowPage | null,
  ) =>
    page === null ? [] : [...old.map(mark), ...added].filter((row) => isBehind(row, page.after)).slice(0, page.limit);
  const events = fresh.rows.map(({ generation, seq, atMs, type, by, data }) => ({
    generation,
    seq,
    atMs,
    type,
    by,
    data,
    undone: false,
  }));
  const handoffs = fresh.rows.flatMap(({ generation, seq, atMs, handoff }) =>
    handoff ? [{ generation, seq, atMs, undone: false, ...handoff }] : [],
  );
  return {
    events: part<MirrorEvent>(mirror.events, events, pages.events),
    handoffs: part<MirrorHandoff>(mirror.handoffs, handoffs, pages.handoffs),
    totalHandoffs: mirror.totalHandoffs + handoffs.length,
    complete: fresh.complete,
  };
}

export const eventReply = (row: MirrorEvent): EventReply => ({
  id: `${row.generation}.${row.seq}`,
  seq: row.seq,
  event_type: row.type,
  triggered_by: row.by,
  event_data: { ...row.data },
  timestamp: new Date(row.atMs).toISOString(),
  undone: row.undone,
});

export const handoffReply = (row: MirrorHandoff): HandoffReply => ({
  seq: row.seq,
  from_role: row.fromRole,
  to_role: row.toRole,
  from_state: row.fromState,
  to_state: row.toState,
  timestamp: new Date(row.atMs).toISOString(),
  data_transferred: { ...row.data },
  notes: row.notes,
  undone: row.undone,
});
