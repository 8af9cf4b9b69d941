import { vi } from 'vitest';

/** Only what hangs takes this long, however busy the machine is. */
const BOUND_MS = 60_000;

/**
 * Repeats a check until it holds, and gives what it gives; fails as the check did at last. The clock is the real one:
 * timers that a test has faked are moved a little at every try.
 */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: BOUND_MS });
