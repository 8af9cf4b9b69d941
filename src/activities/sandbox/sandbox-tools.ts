import { access, constants, lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SYSTEM, type SystemPath } from './bubblewrap-arguments.ts';

/** The programs with which a run is started, as absolute paths; all but the first two also stand inside. */
export type Tools = Readonly<Record<(typeof NAMES)[number], string>>;

const NAMES = ['bwrap', 'setpriv', 'prlimit', 'sh', 'tar', 'timeout'] as const;

/** The folders that are also there inside. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** The packages of Debian and most others that have them. */
const PACKAGES: Tools = {
  bwrap: 'bubblewrap',
  setpriv: 'util-linux',
  prlimit: 'util-linux',
  sh: 'dash',
  tar: 'tar',
  timeout: 'coreutils',
};

/** The tools, or the packages that are missing. */
export async function findTools(
  folders: readonly string[] = FOLDERS,
): Promise<Tools | Readonly<{ missing: string[] }>> {
  const found = await Promise.all(NAMES.map(async (name) => [name, await findProgram(name, folders)] as const));
  const missing = found.flatMap(([name, path]) => (path === null ? [PACKAGES[name]] : []));
  return missing.length > 0 ? { missing: [...new Set(missing)] } : (Object.fromEntries(found) as Tools);
}

/** Where a program is in the first of the folders that has it. */
export async function findProgram(name: string, folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    const path = join(folder, name);
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  return null;
}

/** Which of the system's paths this machine has: on most, /bin and /lib are links into /usr. */
export async function systemPaths(): Promise<SystemPath[]> {
  const found: SystemPath[] = [];
  for (const path of SYSTEM) {
    const entry = await lstat(path).catch(() => null);
    if (entry !== null) found.push({ path, link: entry.isSymbolicLink() ? await readlink(path) : null });
  }
  return found;
}
