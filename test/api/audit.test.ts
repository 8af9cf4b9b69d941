import { describe, expect, it } from 'vitest';
import { joinAudit } from '../../src/api/audit.ts';
import type { MirrorEvent, MirrorHistory } from '../../src/api/ports.ts';
import type { AuditRow } from '../../src/machine/events.ts';

const row = (seq: number): AuditRow => ({ seq, atMs: seq, type: 'phase_started', by: 'system', data: {} });
const event = (generation: number, seq: number): MirrorEvent => ({ ...row(seq), generation, undone: false });
const seqs = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const pages = { events: { after: null, limit: 100 }, handoffs: null };

/** A mirror that has read `events`, and whose branches ended where `lastSeqs` say. */
function mirror(events: MirrorEvent[], lastSeqs: readonly number[]): MirrorHistory {
  const branches = lastSeqs.map((lastSeq, index) => ({ branch: `b${index + 1}`, lastSeq }));
  return { branches, events, handoffs: [], totalHandoffs: 0 };
}

const live = (branch: string, flushedSeq: number, rows: readonly number[]) => ({
  branch,
  flushed_seq: flushedSeq,
  rows: rows.map(row),
});

const places = (history: MirrorHistory, held: ReturnType<typeof live> | null): string[] =>
  joinAudit(history, held, pages).events.map(({ generation, seq }) => `${generation}.${seq}`);

describe('joining the mirror with the workflow', () => {
  it('loses no row when a flush falls between the two reads of the mirror', () => {
    const rows = seqs(1, 3).map((seq) => event(1, seq));
    expect(places(mirror(rows, [6]), live('b1', 3, seqs(1, 6)))).toEqual(['1.1', '1.2', '1.3', '1.4', '1.5', '1.6']);
  });

  it('repeats no row that was written but not confirmed', () => {
    const rows = seqs(1, 5).map((seq) => event(1, seq));
    expect(places(mirror(rows, [5]), live('b1', 2, seqs(1, 6)))).toEqual(['1.1', '1.2', '1.3', '1.4', '1.5', '1.6']);
  });

  it('takes no row of an older branch for one of the newer', () => {
    const rows = [event(1, 1), event(1, 2), event(2, 3)];
    expect(places(mirror(rows, [2, 3]), live('b2', 3, seqs(1, 4)))).toEqual(['1.1', '1.2', '2.3', '2.4']);
  });

  it('says when the workflow has dropped rows that the mirror does not have', () => {
    const rows = seqs(1, 3).map((seq) => event(1, seq));
    expect(joinAudit(mirror(rows, [3]), live('b1', 3, seqs(10, 20)), pages).complete).toBe(false);
    expect(joinAudit(mirror(rows, [3]), live('b1', 3, seqs(4, 20)), pages).complete).toBe(true);
  });

  it('counts a mirror that knows nothing as behind when the workflow has dropped confirmed rows', () => {
    expect(joinAudit(mirror([], []), live('b1', 3, seqs(1, 5)), pages).complete).toBe(true);
    expect(joinAudit(mirror([], []), live('b1', 3, []), pages).complete).toBe(false);
  });
});
