import { existsSync, readdirSync } from 'node:fs';
import { run } from './run-command.ts';

export type InstallSettings = Readonly<{
  packages: readonly string[];
  /** Progress for people, one line at a time. */
  log: (line: string) => void;
  signal?: AbortSignal | undefined;
}>;

/** Where packages come from. */
export type PackageSystem = Readonly<{ aptGet: string; listsDir: string; isRoot: boolean }>;

const THIS_SYSTEM: PackageSystem = {
  aptGet: '/usr/bin/apt-get',
  listsDir: '/var/lib/apt/lists',
  isRoot: process.getuid?.() === 0,
};

const UPDATE_DEADLINE_MS = 60_000;
const INSTALL_DEADLINE_MS = 90_000;

/** Nobody answers questions, another installation is waited for briefly, and a source that is away is given up soon. */
const OPTIONS = [
  '-q',
  '-y',
  '-o',
  'DPkg::Lock::Timeout=20',
  '-o',
  'Acquire::Retries=1',
  '-o',
  'Acquire::http::Timeout=15',
];
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive', LANG: 'C.UTF-8' };

/**
 * Installs packages of the system where that needs nobody's password: as root, with apt-get (Debian, Ubuntu).
 * @returns null when they are installed, else why not
 */
export async function installPackages(
  { packages, log, signal }: InstallSettings,
  { aptGet, listsDir, isRoot }: PackageSystem = THIS_SYSTEM,
): Promise<string | null> {
  if (!isRoot) return 'only root can install packages';
  if (!existsSync(aptGet)) return 'this system has no apt-get';
  log(`Installing ${packages.join(', ')} with apt-get (two minutes at most)`);
  const apt = (deadlineMs: number, args: readonly string[]) =>
    run(aptGet, [...OPTIONS, ...args], { deadlineMs, signal, env: ENVIRONMENT, cwd: '/' });
  const install = () => apt(INSTALL_DEADLINE_MS, ['install', '--no-install-recommends', ...packages]);
  // What is known of the packages may be missing, or so old that their files are gone.
  if (hasLists(listsDir) && (await install()).code === 0) return null;
  if (signal?.aborted === true) return 'it was interrupted';
  await apt(UPDATE_DEADLINE_MS, ['update']);
  const { code, output, timedOut } = await install();
  if (code === 0) return null;
  return timedOut ? 'apt-get took too long' : `apt-get failed: ${lastLine(output)}`;
}

const hasLists = (dir: string): boolean =>
  existsSync(dir) && readdirSync(dir).some((name) => name.includes('Packages'));

const lastLine = (output: string): string => output.trim().split('\n').at(-1)?.slice(-200) ?? '';
