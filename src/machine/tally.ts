import type { AuditRow } from './events.ts';
import { PHASES, type Phase } from './states.ts';

/**
 * What the audit of a build comes to, counted as its rows are made. It is part of the build, so that it goes on over
 * continue-as-new, goes back with a reset, and is the same however often and in whichever order rows reach the mirror.
 */
export type Tally = Readonly<{
  /** Handoff rows. */
  handoffs: number;
  /** Failures of each phase that has any; see {@link failedPhase}. */
  failures: Readonly<Partial<Record<Phase, number>>>;
}>;

export const EMPTY_TALLY: Tally = { handoffs: 0, failures: {} };

/**
 * The phase that failed by an event, else null. Two events say so, each once: `sent_back`, a failing verdict of testing
 * or verification, and `parked`, which names the phase it parked in (in a handoff state the receiver's) and is also what
 * a failing verdict past the limit or a failed release leads to. What an operator asks for (retry, rollback, abort) is no
 * failure.
 */
export function failedPhase({ type, data }: Pick<AuditRow, 'type' | 'data'>): Phase | null {
  if (type !== 'sent_back' && type !== 'parked') return null;
  return PHASES.find((phase) => phase === data.phase) ?? null;
}

export function tallyRow({ handoffs, failures }: Tally, row: AuditRow): Tally {
  const failed = failedPhase(row);
  return {
    handoffs: handoffs + (row.handoff ? 1 : 0),
    failures: failed === null ? failures : { ...failures, [failed]: (failures[failed] ?? 0) + 1 },
  };
}
