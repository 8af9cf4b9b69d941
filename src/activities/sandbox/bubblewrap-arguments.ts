/** Where a file or folder of this machine stands inside. */
export type Mounted = Readonly<{ from: string; at: string }>;

export type Inside = Readonly<{
  projectDir: string;
  runDir: string;
  /** Beside the system's own folders. */
  readOnly: readonly Mounted[];
  /** Which of {@link SYSTEM} there are, and what those that are links point to. */
  system: readonly SystemPath[];
}>;

export type SystemPath = Readonly<{ path: string; link: string | null }>;

/** Programs, their libraries, and what of /etc tells how these are found. Nothing of it is a secret or says who uses the machine. */
export const SYSTEM = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/etc/ld.so.cache',
  '/etc/alternatives',
  '/etc/ssl/openssl.cnf',
] as const;

const MIB = 1024 * 1024;

/** All that a run can write, in bytes: every folder that may be written to is in memory and has its size. */
export const SIZES = { project: 512 * MIB, run: 128 * MIB, tmp: 128 * MIB, shm: 64 * MIB } as const;

/** The user inside; outside it is the one that has started bubblewrap. */
const USER = ['--uid', '1000', '--gid', '1000'];

/**
 * How bubblewrap makes the world of one run: namespaces of its own, no right beyond a plain user's, and only what is named
 * here to be seen. Order matters: what is mounted later may stand in what was mounted before, and all is closed to writing
 * at the end.
 */
export function bubblewrapArguments({ projectDir, runDir, readOnly, system }: Inside): string[] {
  return [
    // Bubblewrap's own wish for a cgroup namespace is a try; the other namespaces it must have.
    ...['--unshare-all', '--unshare-user', '--disable-userns', ...USER, '--hostname', 'sandbox'],
    ...['--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--json-status-fd', '4'],
    ...system.flatMap(({ path, link }) => (link === null ? ['--ro-bind', path, path] : ['--symlink', link, path])),
    ...['--file', '5', '/etc/passwd', '--file', '6', '/etc/hosts', '--file', '7', '/etc/nsswitch.conf'],
    ...['--proc', '/proc', '--dev', '/dev'],
    ...[...tmpfs(SIZES.shm, '/dev/shm'), '--remount-ro', '/dev'],
    ...tmpfs(SIZES.tmp, '/tmp'),
    ...tmpfs(SIZES.project, projectDir),
    ...tmpfs(SIZES.run, runDir),
    ...readOnly.filter(({ at }) => !isShown(at, system)).flatMap(({ from, at }) => ['--ro-bind', from, at]),
    ...['--remount-ro', '/', '--chdir', projectDir],
  ];
}

const tmpfs = (sizeBytes: number, at: string): string[] => ['--size', String(sizeBytes), '--tmpfs', at];

const isShown = (path: string, system: readonly SystemPath[]): boolean =>
  system.some((one) => one.link === null && (path === one.path || path.startsWith(`${one.path}/`)));
