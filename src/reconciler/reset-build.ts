import type { FlushInput } from '../mirror/mirror.ts';
import type { LatestRun, RunRecord } from './closed-run.ts';
import { lastKnown } from './ended-build.ts';

/**
 * The first flush of a run that a reset has made, where that run has none to make: it waits for a command, and all rows
 * from before were confirmed. So the mirror learns at once that the build goes on, and from where.
 * @returns null for a run that no reset has made
 */
export function firstFlush(run: LatestRun, record: RunRecord): FlushInput | null {
  const known = run.runId === record.originalRunId ? null : lastKnown(run, record);
  if (known === null) return null;
  const { build, batch } = known;
  const rows = batch.rows.filter(({ seq }) => seq > record.ackedSeq);
  // The newest event came after the reset, and before any later one.
  return { branch: run.runId, runId: run.runId, openedAtMs: record.lastEventAtMs, build, rows };
}
