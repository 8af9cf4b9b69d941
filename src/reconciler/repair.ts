import type { Logger } from 'pino';
import type { Endings } from '../mirror/endings.ts';
import type { ClosedRuns } from './closed-run.ts';
import { lastFlush } from './ended-build.ts';

export type Repairs = Readonly<{ runs: ClosedRuns; mirror: Endings; log: Logger }>;

/** A run that was started by hand, or by another version, may tell of anything: then nobody can say how it ended. */
function readEnd(...told: Parameters<typeof lastFlush>): ReturnType<typeof lastFlush> {
  try {
    return lastFlush(...told);
  } catch {
    return null;
  }
}

/**
 * Ends a build in the mirror whose newest run has ended in Temporal without telling the mirror. Nothing happens to a
 * build that goes on, that the mirror knows to be over, or that Temporal does not know (any more): nobody can tell then
 * what became of it. May be called at any moment, any number of times, by any number of processes.
 * @throws when Temporal or the mirror is away; nothing is written then
 */
export async function repair(workflowId: string, { runs, mirror, log }: Repairs): Promise<void> {
  const run = await runs.latest(workflowId);
  const { ending, closedAtMs } = run ?? {};
  if (!run || !ending || !closedAtMs) return;
  if ((await mirror.unsettled([run])).length === 0) return;
  // A run that completed has told its rows already; only those that were cut off may hold more.
  const [record, own] = await Promise.all([runs.record(run), ending === 'completed' ? null : runs.rowsOf(run)]);
  const flush = readEnd({ ...run, ending, closedAtMs }, record, own);
  const outcome = flush === null ? 'unknown' : await mirror.finish(flush);
  const about = { workflowId, runId: run.runId, ending };
  if (outcome === 'written') log.info(about, 'a build that ended in Temporal is ended in the mirror');
  if (outcome === 'refused') log.error(about, 'the mirror does not take the end of a build; its row stays as it was');
  if (outcome === 'unknown') log.warn(about, 'a run ended in Temporal that tells of no build; nothing is written');
}
