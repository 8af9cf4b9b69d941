import type { Client } from '@temporalio/client';
import { AppError } from '../errors.ts';

/** A call that takes longer makes us ask whether the server is there at all. */
const PROBE_AFTER_MS = 400;
const PROBE_DEADLINE_MS = 1000;
/** What callers are told to wait before they ask again. */
export const RETRY_AFTER_S = 5;

const temporalUnreachable = (cause: unknown, mayTakeEffect: boolean): AppError =>
  new AppError(
    'temporal_unreachable',
    mayTakeEffect
      ? 'Temporal does not answer. The call may still take effect: repeating it with the Idempotency-Key of this answer is safe.'
      : 'Temporal does not answer. Nothing is lost; ask again later.',
    { retryAfterS: RETRY_AFTER_S },
    { cause },
  );

/** The gRPC status code behind an error of the client; null when there is none. */
export function grpcCode(error: unknown): number | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'number') return at.code;
  }
  return null;
}

/** Codes of a server that is away, overloaded, or does not let us in (gRPC's status codes). */
const AWAY_CODES: readonly number[] = [1, 4, 7, 8, 14, 16];

/** A failed call that is no answer about a build: the server is away, or something is wrong on our side. */
export function serverError(error: unknown, mayTakeEffect: boolean): AppError {
  const code = grpcCode(error);
  if (error instanceof Unreachable || (code !== null && AWAY_CODES.includes(code))) {
    return temporalUnreachable(error, mayTakeEffect);
  }
  return new AppError('internal', 'Temporal refused a call', {}, { cause: error });
}

/** What a call was given up for. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** gRPC's code for a deadline that has passed, for the ones that the client itself does not keep. */
export const DEADLINE_EXCEEDED = 4;
const CANCELLED = 1;

class DeadlinePassed extends Error {
  readonly code = DEADLINE_EXCEEDED;
}

/** Time for the client to tell of its own deadline, which says more than ours. */
const CLIENT_GRACE_MS = 100;
/** A server reckons with the time that was left when the call was sent, in whole milliseconds: it may be this early. */
const SERVER_EARLY_MS = 100;

/** Server and client keep the same deadline. Where the server is first, it resets the call, which reads as cancelled. */
const isDue = (error: unknown, dueAtMs: number): boolean =>
  grpcCode(error) === CANCELLED && performance.now() >= dueAtMs - SERVER_EARLY_MS;

/**
 * Calls Temporal with a deadline. The client waits for a server that is away as patiently as for a worker, and goes on
 * waiting between its tries after a deadline or an abort. So time is kept here, and a call that takes long has the
 * server asked for a sign of life: without one the call is given up.
 * @throws Unreachable when the server shows no sign of life, 1.4 s after the call at the latest
 */
export async function callTemporal<T>(client: Client, deadlineMs: number, call: () => Promise<T>): Promise<T> {
  const giveUp = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const outOfTime = new Promise<never>((_, reject) => {
    const stop = (error: Error): void => {
      giveUp.abort();
      reject(error);
    };
    const probe = async (): Promise<void> => {
      const late = setTimeout(() => stop(new Unreachable('no sign of life in time')), PROBE_DEADLINE_MS);
      timers.push(late);
      const ask = () => client.connection.workflowService.getSystemInfo({});
      try {
        await client.withDeadline(Date.now() + PROBE_DEADLINE_MS, ask);
      } catch (cause) {
        stop(new Unreachable('the server shows no sign of life', { cause }));
      }
      clearTimeout(late);
    };
    timers.push(setTimeout(() => void probe(), PROBE_AFTER_MS));
    timers.push(setTimeout(() => stop(new DeadlinePassed('the deadline has passed')), deadlineMs + CLIENT_GRACE_MS));
  });
  const dueAtMs = performance.now() + deadlineMs;
  const made = client
    .withDeadline(Date.now() + deadlineMs, () => client.withAbortSignal(giveUp.signal, call))
    .catch((error: unknown) => {
      throw isDue(error, dueAtMs) ? new DeadlinePassed('the deadline has passed', { cause: error }) : error;
    });
  try {
    return await Promise.race([made, outOfTime]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    // Whichever came second is not heard any more.
    made.catch(() => undefined);
    outOfTime.catch(() => undefined);
  }
}
