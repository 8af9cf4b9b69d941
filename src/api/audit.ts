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

type Fresh = Readonly<{
  rows: readonly (AuditRow & RowPlace)[];
  complete: boolean;
  /** The mirror's last row of the workflow's branch. */
  lastSeq: number;
  /** Where a reset that the mirror has not heard of yet began a branch; else null. */
  resetAfterSeq: number | null;
}>;

/**
 * The rows that no activity has confirmed yet: the mirror may have them or not. Confirmed rows are the mirror's alone,
 * because a branch that a reset has begun still holds those of the branch before under its own name.
 */
function freshRows(live: LiveRows, mirror: MirrorHistory): Fresh {
  const index = mirror.branches.findIndex(({ branch }) => branch === live.branch);
  const known = mirror.branches[index];
  const hasOthers = mirror.branches.length > 0;
  const confirmedSeq = hasOthers ? live.flushed_seq : 0;
  const lastSeq = known?.lastSeq ?? 0;
  const generation = known ? index + 1 : mirror.branches.length + 1;
  const rows = live.rows.filter(({ seq }) => seq > confirmedSeq).map((row) => ({ ...row, generation }));
  const [first] = rows;
  const complete = first ? first.seq <= Math.max(confirmedSeq, lastSeq) + 1 : hasOthers || live.flushed_seq === 0;
  return { rows, complete, lastSeq, resetAfterSeq: known === undefined && hasOthers ? live.flushed_seq : null };
}

type Row = RowPlace & Readonly<{ undone: boolean }>;

/** Rows of both places in order, each once: a flush may fall between the mirror's own reads. */
function mergeRows<T extends Row>(old: readonly T[], added: readonly T[], page: RowPage | null): T[] {
  if (page === null) return [];
  const places = new Set(old.map(({ generation, seq }) => `${generation}.${seq}`));
  return [...old, ...added.filter(({ generation, seq }) => !places.has(`${generation}.${seq}`))]
    .filter((row) => isBehind(row, page.after))
    .sort((a, b) => a.generation - b.generation || a.seq - b.seq)
    .slice(0, page.limit);
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
  const fresh: Fresh = live ? freshRows(live, mirror) : { rows: [], complete: true, lastSeq: 0, resetAfterSeq: null };
  const { resetAfterSeq, lastSeq } = fresh;
  const mark = <T extends Row>(row: T): T =>
    resetAfterSeq !== null && row.seq > resetAfterSeq ? { ...row, undone: true } : row;
  const events = fresh.rows.map(({ generation, seq, atMs, type, by, data }): MirrorEvent => {
    return { generation, seq, atMs, type, by, data, undone: false };
  });
  const handoffs = fresh.rows.flatMap(({ generation, seq, atMs, handoff }): MirrorHandoff[] =>
    handoff ? [{ generation, seq, atMs, undone: false, ...handoff }] : [],
  );
  return {
    events: mergeRows(mirror.events.map(mark), events, pages.events),
    handoffs: mergeRows(mirror.handoffs.map(mark), handoffs, pages.handoffs),
    totalHandoffs: mirror.totalHandoffs + handoffs.filter(({ seq }) => seq > lastSeq).length,
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
