import { applyCommand, startBuild } from '../machine/apply.ts';
import { isOver, stateOf } from '../machine/build.ts';
import type { AuditRow } from '../machine/events.ts';
import { restoredBuild, snapshotOf } from '../machine/snapshot.ts';
import type { FlushInput } from '../mirror/mirror.ts';
import type { HistoryReply } from '../workflows/messages.ts';
import type { LastWork, LatestRun, RunEnding, RunRecord } from './closed-run.ts';
import { quotedReason } from './reason.ts';

const ENDED: Readonly<Record<Exclude<RunEnding, 'completed'>, string>> = {
  cancelled: 'it was cancelled in Temporal',
  terminated: 'it was terminated in Temporal',
  failed: 'its execution failed in Temporal',
  timed_out: 'its execution timed out in Temporal',
};

export type EndedRun = Omit<LatestRun, 'ending' | 'closedAtMs'> & Readonly<{ ending: RunEnding; closedAtMs: number }>;

/** What a run knew last: by its last activity, else by what it was started with. Null where that is no build's. */
export function lastKnown(
  { workflowId, runId, startedAtMs }: Omit<EndedRun, 'ending' | 'closedAtMs'>,
  { input, lastWork }: RunRecord,
): LastWork | null {
  if (lastWork !== null) return lastWork;
  if (input.carried) {
    const { build, outbox, branch } = input.carried;
    return { build: snapshotOf(build), batch: { branch, openedAtMs: startedAtMs, rows: outbox } };
  }
  if (input.spec?.workflowId !== workflowId) return null;
  const { build, rows } = startBuild(input.spec, startedAtMs);
  return { build: snapshotOf(build), batch: { branch: runId, openedAtMs: startedAtMs, rows } };
}

/**
 * A run that completed in the wake of its last phase wrote its last rows inside a workflow task, which leaves no copy in
 * the history: the machine makes them again from the phase's answer.
 */
function withLastAnswer({ build, batch }: LastWork, { lastAnswer }: RunRecord, atMs: number): LastWork | null {
  if (isOver(build.position)) return { build, batch };
  if (lastAnswer === null) return null;
  const { result, work } = lastAnswer;
  const applied = applyCommand(restoredBuild(build), { type: 'complete_phase', result, work }, atMs);
  if (!applied.ok || !isOver(applied.build.position)) return null;
  return { build: snapshotOf(applied.build), batch: { ...batch, rows: [...batch.rows, ...applied.rows] } };
}

/** The rows that nobody has confirmed, as the workflow itself tells them where it can be asked. */
function withOwnRows({ build, batch }: LastWork, own: HistoryReply | null): LastWork {
  if (own === null) return { build, batch };
  const rows = own.rows.filter(({ seq }) => seq > own.flushed_seq);
  // Rejected signals and late results change nothing but the number of the last row, and wait for the next activity.
  return { build: { ...build, seq: Math.max(build.seq, rows.at(-1)?.seq ?? 0) }, batch: { ...batch, rows } };
}

function aborted(
  { build, batch }: LastWork,
  ending: Exclude<RunEnding, 'completed'>,
  run: EndedRun,
  told: string | null,
) {
  const { position } = build;
  if (position.status === 'complete' || position.status === 'cancelled') return { build, batch };
  const reason = `${ENDED[ending]}${quotedReason(told)}`;
  const { closedAtMs: endedAtMs } = run;
  const [seq, state] = [build.seq + 1, stateOf(position)];
  const data = { from: state, to: state, actor: 'temporal', reason };
  const row: AuditRow = { seq, atMs: endedAtMs, type: 'aborted', by: 'system', data };
  const over = { status: 'cancelled', endedAtMs, reason, was: position } as const;
  return {
    build: { ...build, position: over, seq, epoch: build.epoch + 1, updatedAtMs: endedAtMs },
    batch: { ...batch, rows: [...batch.rows, row] },
  };
}

/**
 * What the mirror lacks of a run that has ended. It follows from the run's history alone, so that all who look write the
 * same; only what `own` adds depends on a worker.
 * @param own the run's rows as the workflow tells them; null where no worker answers
 * @returns null for a run that was never a build, or whose end cannot be told
 */
export function lastFlush(run: EndedRun, record: RunRecord, own: HistoryReply | null): FlushInput | null {
  const known = lastKnown(run, record);
  if (known === null) return null;
  const { ending, runId, closedAtMs } = run;
  const end =
    ending === 'completed'
      ? withLastAnswer(known, record, closedAtMs)
      : aborted(withOwnRows(known, own), ending, run, record.reason);
  if (end === null) return null;
  const { build, batch } = end;
  // As the workflow names it. Opened at its end, where the mirror does not know it yet: after every branch before it, and
  // before any that a reset makes later.
  const branch = runId === record.originalRunId ? batch.branch : runId;
  return { branch, runId, openedAtMs: closedAtMs, build, rows: batch.rows };
}
