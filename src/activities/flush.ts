import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { BuildSnapshot } from '../machine/snapshot.ts';
import type { Batch, FlushInput } from './contract.ts';
import type { ActivityDeps } from './deps.ts';

/** A flush beside other work gets one try of this long; the mirror being away never holds up a build. */
const QUICK_TIMEOUT_MS = 1000;
const PATIENT_TIMEOUT_MS = 5000;

type Flushing = Readonly<{ build: BuildSnapshot; batch: Batch; timeoutMs: number; patient: boolean }>;

async function writeBatch(deps: ActivityDeps, flushing: Flushing): Promise<number> {
  const { build, batch, timeoutMs, patient } = flushing;
  const { info, cancellationSignal } = Context.current();
  await deps.mirror.flush(
    { ...batch, runId: info.workflowExecution?.runId ?? batch.branch, build },
    { timeoutMs, signal: cancellationSignal, patient },
  );
  return batch.rows.at(-1)?.seq ?? build.seq;
}

/** One try that never fails: 0 when the mirror did not take the rows, which then stay in the workflow's outbox. */
export async function flushOnce(deps: ActivityDeps, build: BuildSnapshot, batch: Batch): Promise<number> {
  try {
    return await writeBatch(deps, { build, batch, timeoutMs: QUICK_TIMEOUT_MS, patient: false });
  } catch (error) {
    deps.log.debug({ workflowId: build.spec.workflowId, error: String(error) }, 'the mirror is behind');
    return 0;
  }
}

/** The flush activity: one try that never fails, or a failing one that Temporal repeats until the mirror is back. */
export async function flush(deps: ActivityDeps, { build, batch, patience }: FlushInput): Promise<number> {
  if (patience === 'one_try') return flushOnce(deps, build, batch);
  try {
    return await writeBatch(deps, { build, batch, timeoutMs: PATIENT_TIMEOUT_MS, patient: true });
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error);
    throw ApplicationFailure.retryable(`the mirror does not answer: ${told}`, 'mirror_unavailable');
  }
}
