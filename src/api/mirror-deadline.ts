import { AppError } from '../errors.ts';
import { within } from '../within.ts';

/** How long the mirror may take; its own client may be set to wait longer for a pooled connection. */
const MIRROR_DEADLINE_MS = 1000;

/**
 * Waits for a call to the mirror.
 * @param deadlineMs {@link MIRROR_DEADLINE_MS} unless given
 * @throws AppError `mirror_unavailable` when it fails or does not answer in time
 */
export async function fromMirror<T>(call: () => Promise<T>, deadlineMs = MIRROR_DEADLINE_MS): Promise<T> {
  try {
    return await within(call(), deadlineMs);
  } catch (cause) {
    throw new AppError(
      'mirror_unavailable',
      'The database that remembers builds does not answer. Running builds go on and can be steered; ask again later.',
      { retryAfterS: 5 },
      { cause },
    );
  }
}
