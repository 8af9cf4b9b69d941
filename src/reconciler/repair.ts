import type { Logger } from 'pino';
import type { Endings } from '../mirror/endings.ts';
import type { FlushInput } from '../mirror/mirror.ts';
import type { ClosedRuns, LatestRun, RunRecord } from './closed-run.ts';
import { lastFlush } from './ended-build.ts';
import { firstFlush } from './reset-build.ts';

export type Repairs = Readonly<{ runs: ClosedRuns; mirror: Endings; log: Logger }>;

async function flushOf(run: LatestRun, record: RunRecord, { runs }: Repairs): Promise<FlushInput | null> {
  const { ending, closedAtMs } = run;
  if (ending === null || closedAtMs === null) return firstFlush(run, record);
  // A run that completed has told its rows already; only those that were cut off may hold more.
  const own = ending === 'completed' ? null : await runs.rowsOf(run);
  return lastFlush({ ...run, ending, closedAtMs }, record, own);
}

/**
 * Writes what is known of a run. One that was started by hand, or by another version, may hold anything: `unknown`.
 * @throws when Temporal or the mirror is away
 */
async function write(run: LatestRun, repairs: Repairs): Promise<'written' | 'known' | 'refused' | 'unknown'> {
  try {
    const flush = await flushOf(run, await repairs.runs.record(run), repairs);
    return flush === null ? 'unknown' : await repairs.mirror.write(run.ending === null ? 'beginning' : 'end', flush);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return 'unknown';
    throw error;
  }
}

/**
 * Brings a build in the mirror to where its newest run is, if that run cannot do it: it ended without telling, or a reset
 * made it and it waits. Nothing happens to any other build, nor to one that Temporal does not know (any more): nobody can
 * tell then what became of it. May be called at any moment, any number of times, by any number of processes.
 * @throws when Temporal or the mirror is away; nothing is written then
 */
export async function repair(workflowId: string, repairs: Repairs): Promise<void> {
  const { runs, mirror, log } = repairs;
  const run = await runs.latest(workflowId);
  if (run === null) return;
  const { runId, ending } = run;
  const isOpen = ending === null;
  if ((await mirror.unsettled([{ workflowId, runId, isOpen }])).length === 0) return;
  const outcome = await write(run, repairs);
  const about = { workflowId, runId, ending };
  if (outcome === 'written') log.info(about, 'the mirror follows a build that was ended or reset in Temporal');
  if (outcome === 'refused')
    log.error(about, 'the mirror does not take a build as it is in Temporal; it stays as it was');
  // An open run that continued another one as new writes for itself.
  if (outcome === 'unknown' && !isOpen)
    log.warn(about, 'a run ended in Temporal that tells of no build; nothing is written');
}
