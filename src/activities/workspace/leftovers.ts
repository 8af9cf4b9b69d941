import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Longer than anything of ours works on a temporary file, in ms: what is older has lost its owner to a kill. */
export const LEFTOVER_AGE_MS = 2 * 60 * 60_000;

const OURS = /^(?:tmp-|index-|fast_import_crash_)/;
const GITS = /^(?:tmp_|\.tmp-)/;
const HALF_MADE = /^\.(?:new|source)-/;

/** Removes what killed processes have left in a repository. What cannot be removed is tried again another time. */
export async function sweepRepository(repository: string, nowMs = Date.now()): Promise<void> {
  await sweep(repository, OURS, nowMs);
  await sweep(join(repository, 'objects', 'pack'), GITS, nowMs);
}

/** Removes repositories that were never completed. */
export const sweepRoot = (root: string, nowMs = Date.now()): Promise<void> => sweep(root, HALF_MADE, nowMs);

async function sweep(folder: string, leftover: RegExp, nowMs: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!leftover.test(name)) continue;
    const path = join(folder, name);
    const changedAtMs = await stat(path).then(
      (found) => found.mtimeMs,
      () => nowMs,
    );
    if (nowMs - changedAtMs > LEFTOVER_AGE_MS) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
