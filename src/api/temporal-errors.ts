import { WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { AppError, ERROR_STATUS, type ErrorCode } from '../errors.ts';
import type { RejectionDetails } from '../workflows/messages.ts';
import { DEADLINE_EXCEEDED, grpcCode, RETRY_AFTER_S, serverError, Unreachable } from './temporal-call.ts';

/** gRPC's code for a workflow task that failed under a call. */
const FAILED_PRECONDITION = 9;

export const isRace = (error: unknown): boolean => grpcCode(error) === FAILED_PRECONDITION;

const GATE_RETRY_AFTER_S = 2;

function isErrorCode(type: string | null | undefined): type is ErrorCode {
  return typeof type === 'string' && type in ERROR_STATUS;
}

/** A refusal of the workflow: its type is the code, its first detail says what is allowed instead. */
function refusal(failure: ApplicationFailure): AppError {
  if (!isErrorCode(failure.type)) {
    return new AppError('internal', 'the workflow refused a command for an unknown reason', {}, { cause: failure });
  }
  const details = failure.details?.[0] as Partial<RejectionDetails> | undefined;
  return new AppError(failure.type, failure.message, {
    ...(details?.faults && details.faults.length > 0 ? { faults: details.faults } : {}),
    ...(details?.state ? { currentState: details.state } : {}),
    ...(details?.allowed ? { allowed: details.allowed } : {}),
    ...(failure.type === 'gate_running' ? { retryAfterS: GATE_RETRY_AFTER_S } : {}),
  });
}

const noWorker = (cause: unknown): AppError =>
  new AppError(
    'no_worker',
    'No worker took the command in time. It may still take effect: repeating it with the Idempotency-Key of this answer is safe.',
    { retryAfterS: RETRY_AFTER_S },
    { cause },
  );

/** What an Update's failure means to a caller; a workflow that is not found is told apart before. */
export function updateError(error: unknown): AppError {
  if (error instanceof WorkflowUpdateFailedError) {
    const { cause } = error;
    if (cause instanceof ApplicationFailure) return refusal(cause);
    return new AppError('internal', 'the workflow failed on a command', {}, { cause: error });
  }
  if (error instanceof Unreachable) return serverError(error, true);
  const timedOut = error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || grpcCode(error) === DEADLINE_EXCEEDED;
  if (timedOut || isRace(error)) return noWorker(error);
  return serverError(error, true);
}

/** Why a query was not answered. */
export function queryError(error: unknown): AppError {
  const code = error instanceof Unreachable ? null : grpcCode(error);
  if (code === DEADLINE_EXCEEDED || code === FAILED_PRECONDITION) {
    const message = 'No worker answered in time, so the build could not be asked; ask again later.';
    return new AppError('no_worker', message, { retryAfterS: RETRY_AFTER_S }, { cause: error });
  }
  return serverError(error, false);
}
