/** `pid` is null when the holder is writing its lock at this moment. */
export type LockAttempt = { held: true; release: () => void } | { held: false; pid: number | null };

/**
 * Takes the lock file at once, or tells who holds it. A lock belongs to the process whose id and start are written in
 * it; when that process is gone, however it ended, the next caller takes the lock over. `release` is idempotent.
 */
export function tryLock(path: string): LockAttempt;
