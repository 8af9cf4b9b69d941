import { AppError } from '../errors.ts';
import { within } from '../within.ts';

/** How long the mirror may take; its own client may be set to wait longer for a pooled connection. */
const MIRROR_DEADLINE_MS = 1000;

/**
 * Waits for a call to the mirror.
 * @throws AppError `mirror_unavailable` when it fails or does not answer within {@link MIRROR_DEADLINE_MS}
 */
export async function fromMirror<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await within(call(), MIRROR_DEADLINE_MS);
  } catch (cause) {
    throw new AppError(
      'mirror_unavailable',
      'The database that remembers builds does not answer. Running builds go on and can be steered; ask again later.',
      { retryAfterS: 5 },
      { cause },
    );
  }
}
