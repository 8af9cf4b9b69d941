import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Longer than anything of ours works on a temporary file, in ms: what is older has lost its owner to a kill. */
const OURS_AGE_MS = 2 * 60 * 60_000;
/** Twice the deadline of a git command in a build's repository. On a full disk every try leaves one more of these. */
const GITS_AGE_MS = 60_000;

const OURS = /^(?:tmp-|index-)/;
const CRASH_REPORT = /^fast_import_crash_/;
const GITS = /^(?:tmp_|\.tmp-)/;
const HALF_MADE = /^\.(?:new|source)-/;

/** Removes what killed or failed processes have left in a repository. What cannot be removed is tried again another time. */
export async function sweepRepository(repository: string): Promise<void> {
  await Promise.all([
    sweep(repository, OURS, OURS_AGE_MS),
    sweep(repository, CRASH_REPORT, GITS_AGE_MS),
    sweep(join(repository, 'objects', 'pack'), GITS, GITS_AGE_MS),
  ]);
}

/** Removes repositories that were never completed. */
export const sweepRoot = (root: string): Promise<void> => sweep(root, HALF_MADE, OURS_AGE_MS);

async function sweep(folder: string, leftover: RegExp, ageMs: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => leftover.test(each))) {
    const path = join(folder, name);
    const changedAtMs = await stat(path).then(
      (found) => found.mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - changedAtMs > ageMs) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
