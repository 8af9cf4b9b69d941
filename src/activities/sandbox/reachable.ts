import { access, chmod, cp, mkdir, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Mounted } from './bubblewrap-arguments.ts';

const OTHERS_READ = 0o4;
const OTHERS_PASS = 0o1;

/** Those of the paths that are there. */
export async function present(paths: readonly string[]): Promise<string[]> {
  const known = await Promise.allSettled(paths.map((path) => access(path)));
  return paths.filter((_, index) => known[index]?.status === 'fulfilled');
}

/** Whether a user that owns nothing gets to a path, by the rights of the path and of all folders above it. */
export async function isReachable(path: string): Promise<boolean> {
  const rights = async (one: string): Promise<number> => (await stat(one)).mode;
  if (((await rights(path)) & OTHERS_READ) === 0) return false;
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    if (((await rights(folder)) & OTHERS_PASS) === 0) return false;
  }
  return true;
}

/**
 * Replaces what a run's own user cannot reach, as below root's home, by copies in a folder that everybody may pass. They are
 * a few small files; the folder is the caller's to remove.
 */
export async function reachable(paths: readonly Mounted[], copiesDir: string): Promise<Mounted[]> {
  const found: Mounted[] = [];
  for (const [index, one] of paths.entries()) {
    if (await isReachable(one.from)) {
      found.push(one);
      continue;
    }
    const copy = join(copiesDir, String(index), basename(one.at));
    await mkdir(dirname(copy), { recursive: true });
    await cp(one.from, copy, { recursive: true });
    await letAllRead(copy);
    for (const folder of [dirname(copy), copiesDir, dirname(copiesDir)]) await chmod(folder, 0o711);
    found.push({ from: copy, at: one.at });
  }
  return found;
}

async function letAllRead(path: string): Promise<void> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  const inside = entries.filter((entry) => entry.isFile() || entry.isDirectory());
  for (const one of [path, ...inside.map((entry) => join(entry.parentPath, entry.name))]) await chmod(one, 0o755);
}
