import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { git, tellingDiskFaults } from './git.ts';
import type { CommitAt } from './tree.ts';

/** Writes the files of a commit into a folder. A link that could lead out of it becomes a file with the link's text. */
export async function exportInto(source: CommitAt, intoDir: string): Promise<void> {
  await tellingDiskFaults(() => mkdir(intoDir, { recursive: true }));
  const index = join(source.repository, `index-${randomUUID()}`);
  try {
    await git({
      ...source,
      args: [`--work-tree=${resolve(intoDir)}`, 'read-tree', '--reset', '-u', source.commit],
      env: { GIT_INDEX_FILE: index },
    });
  } finally {
    await Promise.all([rm(index, { force: true }), rm(`${index}.lock`, { force: true })]);
  }
  await tellingDiskFaults(() => disarmLinks(resolve(intoDir)));
}

async function disarmLinks(root: string): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const target = await readlink(path);
    const folder = relative(root, dirname(path));
    if (staysInside(target, folder === '' ? 0 : folder.split('/').length)) continue;
    await rm(path);
    await writeFile(path, target, { flag: 'wx' });
  }
}

/**
 * Whether a link stays inside, whatever other links it passes: it climbs first, no higher than to the root, through folders
 * that are real because it lies in them, and then only descends.
 */
export function staysInside(target: string, depth: number): boolean {
  const climbs = /^(?:\.\.(?:\/|$))*/.exec(target)?.[0] ?? '';
  const rest = target.slice(climbs.length);
  const up = climbs.split('/').filter((segment) => segment === '..').length;
  return !rest.startsWith('/') && up <= depth && !rest.split('/').includes('..');
}
