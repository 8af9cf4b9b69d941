import { rm, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { AppError } from '../../errors.ts';

/**
 * git holds the lock of a branch for the moment in which it writes it. Were one removed under a living git, a branch would
 * stand where another worker put it, and the next attempt moves it: commits are found by their hash, never by a branch.
 */
const LOCK_AGE_MS = 5000;

/**
 * Runs git work again, once, when it met a lock file that a killed git has left behind. A young lock may have a living
 * owner and is respected.
 */
export async function withoutStaleLocks<T>(repository: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || !(await removeStaleLock(repository, error.message))) throw error;
    return await work();
  }
}

async function removeStaleLock(repository: string, message: string): Promise<boolean> {
  const named = /'([^'\n]+\.lock)': File exists/.exec(message)?.[1];
  if (named === undefined) return false;
  const path = isAbsolute(named) ? named : join(repository, named);
  if (!path.startsWith(`${repository}/`)) return false;
  const ageMs = await stat(path).then(
    (found) => Date.now() - found.mtimeMs,
    () => null,
  );
  if (ageMs === null) return true;
  if (ageMs <= LOCK_AGE_MS) return false;
  await rm(path, { force: true });
  return true;
}
