import { setImmediate } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { phaseOf } from '../../machine/build.ts';
import type { Work } from '../../machine/commands.ts';
import type { WorkInput } from '../contract.ts';
import type { ActivityDeps } from '../deps.ts';
import { flushOnce } from '../flush.ts';
import { phaseFailure } from './failure.ts';
import { startMeter, type WorkMeter } from './work-meter.ts';

/** Everything that one activity of a build works with. */
export type Metered<I extends WorkInput> = Readonly<{ deps: ActivityDeps; input: I; meter: WorkMeter }>;

/** Runs work under a meter, with the flush beside it, and turns what goes wrong into what the workflow understands. */
export async function metered<I extends WorkInput, T>(
  deps: ActivityDeps,
  input: I,
  work: (attempt: Metered<I>) => Promise<T>,
): Promise<{ done: T; ackedSeq: number; work: Work }> {
  const context = Context.current();
  const meter = startMeter(context, input.remainingMs);
  const reset = leaveDeadWorker(deps, context);
  // The flush needs nothing of the work and never fails, so the two run side by side.
  const flushed = flushOnce(deps, input.build, input.batch);
  // The pool gives a connection in the next tick. Without this the work would take the thread first, and the database wait for it.
  await setImmediate();
  try {
    const done = await work({ deps, input, meter });
    await reset;
    return { done, ackedSeq: await flushed, work: meter.report() };
  } catch (error) {
    if (context.cancellationSignal.aborted) recordLostCalls(deps, input, meter.report().calls);
    throw phaseFailure(error, context, meter);
  } finally {
    meter.stop();
  }
}

/**
 * A second try may follow a worker's death. The build's next task would then wait in the dead worker's own queue, for as long as
 * the server lets tasks wait there.
 */
async function leaveDeadWorker({ resetStickyQueue, log }: ActivityDeps, { info }: Context): Promise<void> {
  const { attempt, workflowExecution } = info;
  if (attempt === 1 || workflowExecution === undefined) return;
  try {
    await resetStickyQueue(workflowExecution);
  } catch (error) {
    log.warn({ workflowId: workflowExecution.workflowId, error: String(error) }, 'the sticky queue was not reset');
  }
}

/** The workflow never hears of a cancelled attempt's calls, but they were paid for: they go to the mirror from here. */
function recordLostCalls(deps: ActivityDeps, { build, batch }: WorkInput, calls: Work['calls']): void {
  const phase = phaseOf(build.position);
  if (calls.length === 0 || phase === null) return;
  const { workflowId } = build.spec;
  deps.mirror
    .recordCalls({ workflowId, branch: batch.branch, phase, attempt: build.attempts[phase], calls })
    .catch((error: unknown) =>
      deps.log.warn({ workflowId, error: String(error) }, 'calls of a cancelled attempt were not recorded'),
    );
}
