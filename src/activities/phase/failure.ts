import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { AppError } from '../../errors.ts';
import { FAILURE_PHASE_PREFIX } from '../../workflows/failure-types.ts';
import { AskFailed } from '../llm/ask.ts';
import { toApplicationFailure } from '../llm/classify.ts';
import { timedOut, type WorkMeter } from './work-meter.ts';

/** What another try cannot mend: it parks the build at once. */
const FINAL_CODES: ReadonlySet<string> = new Set([
  'test_runtime_missing',
  'model_unavailable',
  'invalid_phase_result',
  'source_refused',
  'source_unusable',
]);

/**
 * What an attempt's failure looks like to the workflow: a cancellation as itself, used-up time as such, a model's failure
 * by the classifier, ours by its code. All carry the work done, so that it is counted and recorded.
 */
export function phaseFailure(error: unknown, context: Context, meter: WorkMeter): unknown {
  if (context.cancellationSignal.aborted) return context.cancellationSignal.reason;
  const work = meter.report();
  if (meter.expired()) return timedOut(work);
  if (error instanceof AskFailed) {
    return error.failure.type === 'DeadlineExceeded' ? timedOut(work) : toApplicationFailure(error.failure, work);
  }
  const code = error instanceof AppError ? error.code : 'failed';
  const message = error instanceof Error ? error.message : String(error);
  const nonRetryable = FINAL_CODES.has(code);
  return ApplicationFailure.create({ type: `${FAILURE_PHASE_PREFIX}${code}`, message, nonRetryable, details: [work] });
}
