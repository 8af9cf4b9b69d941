import { existsSync, readdirSync } from 'node:fs';
import { run } from './run-command.ts';

export type InstallSettings = Readonly<{
  packages: readonly string[];
  /** Progress for people, one line at a time. */
  log: (line: string) => void;
  signal?: AbortSignal | undefined;
}>;

const APT_GET = '/usr/bin/apt-get';
const LISTS = '/var/lib/apt/lists';
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
export async function installPackages({ packages, log, signal }: InstallSettings): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'only root can install packages';
  if (!existsSync(APT_GET)) return 'this system has no apt-get';
  log(`Installing ${packages.join(', ')} with apt-get (two minutes at most)`);
  const apt = (deadlineMs: number, args: readonly string[]) =>
    run(APT_GET, [...OPTIONS, ...args], { deadlineMs, signal, env: ENVIRONMENT, cwd: '/' });
  const install = () => apt(INSTALL_DEADLINE_MS, ['install', '--no-install-recommends', ...packages]);
  // What is known of the packages may be missing, or so old that their files are gone.
  if (hasLists() && (await install()).code === 0) return null;
  if (signal?.aborted === true) return 'it was interrupted';
  await apt(UPDATE_DEADLINE_MS, ['update']);
  const { code, output, timedOut } = await install();
  if (code === 0) return null;
  return timedOut ? 'apt-get took too long' : `apt-get failed: ${lastLine(output)}`;
}

function hasLists(): boolean {
  return (
    existsSync(LISTS) && readdirSync(LISTS).some((name) => name.endsWith('Packages') || name.includes('Packages.'))
  );
}

const lastLine = (output: string): string => output.trim().split('\n').at(-1)?.slice(-200) ?? '';
