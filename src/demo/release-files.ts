import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { safeName } from '../activities/release/safe-name.ts';

export type ReleaseFiles = Readonly<{
  /** The folder with the product's files. */
  path: string;
  version: string;
  files: readonly Readonly<{ path: string; bytes: number }>[];
}>;

/** Reads the newest release of a build; null when this machine has none (another worker may have made it). */
export async function findRelease(
  releasesDir: string,
  { projectId, buildId }: Readonly<{ projectId: string; buildId: string }>,
): Promise<ReleaseFiles | null> {
  const folder = join(releasesDir, safeName(projectId), safeName(buildId));
  const names = await readdir(folder).catch(() => []);
  const attemptOf = (name: string): number => Number(/-a(\d+)$/.exec(name)?.[1] ?? -1);
  const newest = names
    .filter((name) => attemptOf(name) >= 0)
    .sort((a, b) => attemptOf(a) - attemptOf(b))
    .at(-1);
  if (newest === undefined) return null;
  const manifest = JSON.parse(await readFile(join(folder, newest, 'release.json'), 'utf8')) as ReleaseFiles;
  return { path: join(folder, newest, 'files'), version: manifest.version, files: manifest.files };
}
