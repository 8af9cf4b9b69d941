import { randomUUID } from 'node:crypto';
import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError } from '../errors.ts';
import { type LockAttempt, tryLock } from './file-lock.mjs';
import { waitUntil } from './wait-until.ts';

/** A process that was told to stop gives its data directory back within this time. */
const RELEASE_DEADLINE_MS = 3_000;

/**
 * Makes the directory where it is missing and proves that it can be written.
 * @returns its absolute path, symbolic links resolved
 * @throws AppError `data_dir_unwritable`
 */
export function prepareDataDir(dataDir: string): string {
  const path = resolve(dataDir);
  const probe = join(path, `.probe-${randomUUID()}`);
  try {
    mkdirSync(path, { recursive: true });
    writeFileSync(probe, '');
    rmSync(probe);
    return realpathSync(path);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    throw new AppError(
      'data_dir_unwritable',
      `DATA_DIR=${path} cannot be written (${reason}). Make it writable for this user, or set DATA_DIR to a folder that is.`,
      {},
      { cause: error },
    );
  }
}

/**
 * Takes the directory for the embedded servers of this process alone. The lock of a process that is gone is taken over;
 * one that is just stopping gets a moment to finish.
 * @returns gives the directory back
 * @throws AppError `data_dir_locked`
 */
export async function lockDataDir(dataDir: string, releaseDeadlineMs = RELEASE_DEADLINE_MS): Promise<() => void> {
  const file = join(dataDir, 'stack.lock');
  let attempt: LockAttempt = tryLock(file);
  await waitUntil(() => {
    if (!attempt.held) attempt = tryLock(file);
    return attempt.held;
  }, releaseDeadlineMs);
  if (attempt.held) return attempt.release;
  throw new AppError(
    'data_dir_locked',
    `DATA_DIR=${dataDir} is in use by process ${attempt.pid ?? 'that is just starting'}, which runs its servers on it. ` +
      'Stop that process, or set DATA_DIR to another folder; to share its servers, set TEMPORAL_ADDRESS and DATABASE_URL.',
  );
}
