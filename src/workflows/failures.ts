import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import type { ModelCall } from '../machine/build.ts';
import type { Work, WorkCommand } from '../machine/commands.ts';
import { FAILURE_BAD_ANSWER, FAILURE_PHASE_PREFIX, FAILURE_TIMEOUT } from './failure-types.ts';

const REASON_LIMIT_CHARS = 600;

/** What a failed activity worked, from the failure's details or its last heartbeat; nothing where none was reported. */
function workOf(reported: unknown): Work {
  if (typeof reported !== 'object' || reported === null) return { activeMs: 0, calls: [] };
  const { activeMs, calls } = reported as { activeMs?: unknown; calls?: unknown };
  return {
    activeMs: typeof activeMs === 'number' && activeMs >= 0 ? activeMs : 0,
    calls: Array.isArray(calls) ? (calls as ModelCall[]) : [],
  };
}

/** The deepest failure says what happened; those around it only that trying again was given up. */
function rootOf(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? rootOf(cause) : error;
}

const clip = (text: string): string => text.slice(0, REASON_LIMIT_CHARS);

function applicationCommand(failure: ApplicationFailure): WorkCommand {
  const work = workOf(failure.details?.[0]);
  if (failure.type === FAILURE_TIMEOUT) return { type: 'time_out', work };
  const code =
    failure.type === FAILURE_BAD_ANSWER
      ? 'bad_answer'
      : failure.type?.startsWith(FAILURE_PHASE_PREFIX)
        ? 'phase_failed'
        : 'model_failed';
  return { type: 'fail', code, reason: clip(failure.message), work };
}

/** Why work beside the phases failed, in words. */
export function troubleOf(error: unknown): string {
  const command = parkCommand(error, 0);
  return command.type === 'fail' ? command.reason : 'it took too long';
}

/**
 * Reads an activity's failure into the command that parks the build.
 * @param remainingMs what the attempt had left of the active time: a start-to-close timeout means that it is used up
 */
export function parkCommand(error: unknown, remainingMs: number): WorkCommand {
  const root = error instanceof ActivityFailure ? rootOf(error) : error;
  if (root instanceof ApplicationFailure) return applicationCommand(root);
  if (root instanceof TimeoutFailure) {
    const work = workOf(root.lastHeartbeatDetails);
    if (root.timeoutType === 'START_TO_CLOSE') return { type: 'time_out', work: { ...work, activeMs: remainingMs } };
    const reason = 'every worker that took this phase died or stopped answering; look at the workers, then retry';
    return { type: 'fail', code: 'phase_failed', reason, work };
  }
  const reason = clip(root instanceof Error ? root.message : String(root));
  return { type: 'fail', code: 'phase_failed', reason, work: { activeMs: 0, calls: [] } };
}
