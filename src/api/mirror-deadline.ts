import { AppError } from '../errors.ts';

/** How long the mirror may take; its own client may be set to wait longer for a pooled connection. */
const MIRROR_DEADLINE_MS = 1000;

/**
 * Waits for a call to the mirror.
 * @throws AppError `mirror_unavailable` when it fails or does not answer within {@link MIRROR_DEADLINE_MS}
 */
export async function fromMirror<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await withinDeadline(call(), MIRROR_DEADLINE_MS);
  } catch (cause) {
    throw new AppError(
      'mirror_unavailable',
      'The database that remembers builds does not answer. Running builds go on and can be steered; ask again later.',
      { retryAfterS: 5 },
      { cause },
    );
  }
}

/** The promise's outcome, or a rejection once the time is over; the call itself is left to end unheard. */
export async function withinDeadline<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
