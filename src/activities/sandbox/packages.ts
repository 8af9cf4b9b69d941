import { access, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestFailure } from './report.ts';

const PACKAGES = 'node_modules';
const ENTRY_LIMIT = 20_000;

/** What an operator has prepared below SANDBOX_DEPENDENCIES, as far as it is there. */
export type Prepared = Readonly<{ node: string | null; python: string | null }>;

export async function preparedIn(dependenciesDir: string | null): Promise<Prepared> {
  if (dependenciesDir === null) return { node: null, python: null };
  const [node, python] = await Promise.all(
    [join(dependenciesDir, PACKAGES), join(dependenciesDir, 'python')].map(there),
  );
  return { node: node ?? null, python: python ?? null };
}

async function there(path: string): Promise<string | null> {
  return await access(path).then(
    () => path,
    () => null,
  );
}

/** Lets a project find prepared packages, unless the user's source has brought its own. */
export async function linkPackages(dir: string, { node }: Prepared): Promise<void> {
  const own = join(dir, PACKAGES);
  if (node !== null && (await there(own)) === null) await symlink(node, own);
}

/** Packages that the build wrote itself: with them it could put anything in the place of what tests it. */
export async function writtenPackages(dir: string, isUsers: (path: string) => boolean): Promise<TestFailure[]> {
  const first = await firstIn(dir, '', false, isUsers, { left: ENTRY_LIMIT });
  if (first === null) return [];
  const reason = 'a build may not write packages: declare them in package.json and have an operator prepare them';
  return [{ name: first, reason }];
}

async function firstIn(
  root: string,
  folder: string,
  within: boolean,
  isUsers: (path: string) => boolean,
  entries: { left: number },
): Promise<string | null> {
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    entries.left -= 1;
    const path = `${folder}${entry.name}`;
    const inside = within || entry.name === PACKAGES;
    if (entry.isDirectory() && entries.left > 0) {
      const found = await firstIn(root, `${path}/`, inside, isUsers, entries);
      if (found !== null) return found;
    } else if (inside && !isUsers(path)) return path;
  }
  return null;
}
