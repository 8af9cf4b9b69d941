import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MANIFEST_NAME } from '../../artifacts/release-manifest.ts';
import type { AttemptOfRelease } from './records.ts';
import { safeName } from './safe-name.ts';

/*
 * The folders of one build's releases. Whoever looks finds whole releases alone: each is laid out under another name,
 * and goes under another one again.
 */

const DOOMED = '.undone-';

const stagingPrefix = ({ attempt, branch }: AttemptOfRelease): string => `.new-a${attempt}-${safeName(branch)}-`;

/** A new place to lay a release out; `sweepStaging` finds it. */
export const stagingFolder = (buildFolder: string, key: AttemptOfRelease): string =>
  join(buildFolder, `${stagingPrefix(key)}${randomUUID()}`);

/** Removes a release's folder, which may be missing. */
export async function removeFolder(path: string): Promise<void> {
  const doomed = join(dirname(path), `${DOOMED}${randomUUID()}`);
  try {
    await rename(path, doomed);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  await rm(doomed, { recursive: true, force: true });
}

/** Removes what was being laid out of an attempt, also by a process that still runs, and what a crash left half removed. */
export async function sweepStaging(buildFolder: string, key: AttemptOfRelease): Promise<void> {
  const names = await readdir(buildFolder).catch(() => []);
  const doomed = names.filter((name) => name.startsWith(stagingPrefix(key)) || name.startsWith(DOOMED));
  for (const name of doomed) await removeFolder(join(buildFolder, name));
}

/** The text of the manifest in a release's folder; null where there is none. */
export const manifestIn = (path: string): Promise<string | null> =>
  readFile(join(path, MANIFEST_NAME), 'utf8').catch(() => null);

/** Gives what was laid out its name, in one moment. An equal release that is there stays as it is. */
export async function nameFolder(staging: string, path: string): Promise<void> {
  const laidOut = await manifestIn(staging);
  if (laidOut !== null && laidOut === (await manifestIn(path))) return;
  await removeFolder(path);
  await mkdir(dirname(path), { recursive: true });
  await rename(staging, join(dirname(path), basename(path)));
}
