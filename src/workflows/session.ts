import { type CancellationScope, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Batch } from '../activities/contract.ts';
import { applyCommand } from '../machine/apply.ts';
import { type Build, isModelDriven, stateOf } from '../machine/build.ts';
import type { Applied, Command, Refused } from '../machine/commands.ts';
import type { AuditRow } from '../machine/events.ts';
import type { State } from '../machine/states.ts';
import { currentDetails } from './details.ts';
import { BUILD_NEEDS_OPERATOR, BUILD_STATE } from './search-attributes.ts';

/** What the handlers and the loop of one run share. Handlers apply commands at once; the loop only looks at the build. */
export type Session = {
  build: Build;
  /** Rows that no activity has confirmed yet, oldest first. */
  outbox: AuditRow[];
  /** The newest rows, confirmed or not, for queries and replies. */
  recent: AuditRow[];
  flushedSeq: number;
  readonly branch: string;
  /** The scope of the work in flight: cancelled by whatever changes the epoch. */
  scope: CancellationScope | null;
  /** True while it is not settled whether a run from before a reset has left a release behind. */
  owesReset: boolean;
  /** True when no message but a model's result brought the build to its end. */
  endedByModel: boolean;
  /** What the search attributes say, and since when; a state of null is not known. */
  shown: Readonly<{ state: State | null; needsOperator: boolean; atMs: number }>;
  /** While models drive the build, its state is written to the search attributes no sooner than this after the last time. */
  readonly indexPauseMs: number;
};

const RECENT_LIMIT = 200;
/** Keeps an activity's input well under 32 kB beside the build's snapshot. */
const BATCH_LIMIT_CHARS = 16_000;

export function addRows(session: Session, rows: readonly AuditRow[]): void {
  session.outbox.push(...rows);
  // What no activity has confirmed is nowhere else, so all of it stays readable.
  session.recent = [...session.recent, ...rows].slice(-Math.max(RECENT_LIMIT, session.outbox.length));
}

/** Applies a command to the build, in the handler itself: the reply needs the new state, and the machine is pure. */
export function apply(session: Session, command: Command): Applied | Refused {
  const applied = applyCommand(session.build, command, Date.now());
  if (!applied.ok) return applied;
  const changed = applied.build.epoch !== session.build.epoch;
  session.build = applied.build;
  addRows(session, applied.rows);
  if (changed) {
    session.scope?.cancel();
    show(session);
  }
  return applied;
}

/**
 * Tells operators. Details cost nothing; search attributes cost an event and an entry of the server's index, so there is at
 * most one per change of state, none per automatic handoff, and none in haste: only who waits, parks or ends is told at once.
 */
export function show(session: Session): void {
  const { build, shown, indexPauseMs } = session;
  const state = stateOf(build.position);
  const needsOperator = build.position.status === 'error';
  const nowMs = Date.now();
  const hurried = isModelDriven(build) && !shown.needsOperator && nowMs - shown.atMs < indexPauseMs;
  if ((state !== shown.state || needsOperator !== shown.needsOperator) && !hurried) {
    upsertSearchAttributes([
      { key: BUILD_STATE, value: state },
      ...(needsOperator === shown.needsOperator ? [] : [{ key: BUILD_NEEDS_OPERATOR, value: needsOperator }]),
    ]);
    session.shown = { state, needsOperator, atMs: nowMs };
  }
  setCurrentDetails(currentDetails(build));
}

/** The oldest unconfirmed rows, as many as fit one activity's input; at least one where there is any. */
export function nextBatch(session: Session): Batch {
  const rows: AuditRow[] = [];
  let chars = 0;
  for (const row of session.outbox) {
    chars += JSON.stringify(row).length;
    if (chars > BATCH_LIMIT_CHARS && rows.length > 0) break;
    rows.push(row);
  }
  return { branch: session.branch, openedAtMs: Date.now(), rows };
}

/** An activity has confirmed that the mirror has all rows up to here. */
export function confirm(session: Session, ackedSeq: number): void {
  session.flushedSeq = Math.max(session.flushedSeq, ackedSeq);
  session.outbox = session.outbox.filter(({ seq }) => seq > ackedSeq);
}
