import type { EventReply, HandoffReply } from '../../src/client/client.ts';
import type { WatchedRow } from '../../src/client/watch.ts';
import type { Line } from '../../src/demo/line.ts';
import { paint } from '../../src/demo/line.ts';

/** 2026-01-02T03:04:05.000Z */
const AT_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

type Passed = Partial<
  Pick<HandoffReply, 'from_role' | 'to_role' | 'from_state' | 'to_state' | 'data_transferred' | 'notes'>
>;

/** One row of the audit; each is half a second after the one before it. */
export function row(
  seq: number,
  type: string,
  data: EventReply['event_data'] = {},
  passed: Passed | null = null,
): WatchedRow {
  const timestamp = new Date(AT_MS + seq * 500).toISOString();
  const handoff: HandoffReply | null = passed && {
    ...{
      seq,
      from_role: 'code_writer',
      to_role: 'test_auditor',
      from_state: 'implementation',
      to_state: 'handoff_to_tester',
    },
    ...{ timestamp, data_transferred: {}, notes: null, undone: false },
    ...passed,
  };
  const by = typeof data.role === 'string' ? data.role : 'code_writer';
  const base = { id: `1.${seq}`, seq, event_type: type, triggered_by: by, event_data: data, timestamp, undone: false };
  return { ...base, handoff };
}

export const started = (seq: number, phase: string, role: string, attempt = 1, driver = 'llm'): WatchedRow =>
  row(seq, 'phase_started', { phase, attempt, role, driver });

export const texts = (lines: readonly Line[]): string[] => lines.map((line) => paint(line, false));
