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

/**
 * Calls Temporal with a deadline. The client waits for a server that is away until the deadline, just as it waits for a
 * worker; so a call that takes long has the server asked for a sign of life, and is given up when it shows none.
 * @throws Unreachable when the server shows no sign of life, 1.4 s after the call at the latest
 */
export async function callTemporal<T>(client: Client, deadlineMs: number, call: () => Promise<T>): Promise<T> {
  const giveUp = new AbortController();
  let away: unknown = null;
  const probe = async (): Promise<void> => {
    try {
      const ask = () => client.connection.workflowService.getSystemInfo({});
      await client.withDeadline(Date.now() + PROBE_DEADLINE_MS, ask);
    } catch (error) {
      away = error;
      giveUp.abort();
    }
  };
  const timer = setTimeout(() => void probe(), PROBE_AFTER_MS);
  try {
    return await client.withDeadline(Date.now() + deadlineMs, () => client.withAbortSignal(giveUp.signal, call));
  } catch (error) {
    throw away === null ? error : new Unreachable('the server shows no sign of life', { cause: away });
  } finally {
    clearTimeout(timer);
  }
}
