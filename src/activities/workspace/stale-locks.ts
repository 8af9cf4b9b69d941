import { readdir, rm, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../errors.ts';

/**
 * git holds the lock of a branch for the moment in which it writes it. Were one removed under a living git, a branch would
 * stand where another worker put it, and the next attempt moves it: commits are found by their hash, never by a branch.
 */
const LOCK_AGE_MS = 5000;

/** fast-import guards a pack by a file of its name while it moves it in; a twin that writes the same commit meets it. */
const GUARDED = /cannot create keep file: File exists/;
const GUARD_POLL_MS = 50;

/** Another worker made or moved the branch between the look at it and its lock: the next look sees it as it is. */
const OVERTAKEN = /cannot lock ref '[^'\n]+': (?:reference already exists|is at \w+ but expected \w+)/;

/**
 * Runs git work again when it met a lock file that a killed git has left behind; there may be several, and git tells of one
 * at a time. A young lock may have a living owner and is respected; a twin that writes the very same pack is waited for, and
 * one that was first with a branch is followed.
 */
export async function withoutStaleLocks<T>(repository: string, work: () => Promise<T>): Promise<T> {
  const endsAt = performance.now() + 2 * LOCK_AGE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // What is in the way is removed before the time is looked at: each try of an activity gets further than the last.
      const isWorthATry = OVERTAKEN.test(error.message) || (await clearWay(repository, error.message));
      if (!isWorthATry || performance.now() > endsAt) throw error;
    }
  }
}

const clearWay = (repository: string, message: string): Promise<boolean> =>
  GUARDED.test(message) ? waitForGuard(repository) : removeStaleLock(repository, message);

async function waitForGuard(repository: string): Promise<true> {
  await removeStaleGuards(join(repository, 'objects', 'pack'));
  await sleep(GUARD_POLL_MS);
  return true;
}

/** Nobody else of ours makes such files, so an old one is what a killed fast-import has left. */
async function removeStaleGuards(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith('.keep')) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > LOCK_AGE_MS) await rm(path, { force: true });
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
