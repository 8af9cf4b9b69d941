import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../errors.ts';
import { unpackFiles } from './brought-back.ts';
import { bubblewrapArguments, type Mounted, type SystemPath } from './bubblewrap-arguments.ts';
import type { Cgroup, Cgroups } from './cgroups.ts';
import { INSIDE, OUTSIDE } from './launch-scripts.ts';
import { ownPrefix } from './left-behind.ts';
import { present, reachable } from './reachable.ts';
import { type ProcessEnd, runProcess } from './run-process.ts';
import type { LaunchRequest, Sandbox } from './sandbox.ts';
import { findProgram, type Tools } from './sandbox-tools.ts';

export type BubblewrapSettings = Readonly<{
  tools: Tools;
  system: readonly SystemPath[];
  /** What every run may read: Node, where it stands in no folder of the system. */
  readOnly: readonly Mounted[];
  cgroups: Cgroups | null;
  /** Whether this process is root: then runs have a user of their own, which owns nothing. */
  asRoot: boolean;
}>;

const MIB = 1024 * 1024;

/** Of one run, unless it says "each": of every process of it. */
export const LIMITS = {
  memoryBytes: 1536 * MIB,
  dataBytesEach: 1024 * MIB,
  fileBytesEach: 256 * MIB,
  openFilesEach: 4096,
  /** Threads count. Node takes a dozen for each test file, and runs as many files at once as there are processors. */
  processes: 256 + 16 * availableParallelism(),
  outputBytes: 64 * MIB,
  back: { files: 2000, bytes: 64 * MIB },
} as const;

/** Laying out the copy before the program starts, and bringing files back after it. */
const AROUND_MS = 10_000;

/** Users that no package of a system has (Debian policy, 9.2): runs at the same time have different ones. */
const FIRST_UID = 59_000;
const UIDS = 900;

/**
 * Runs programs with bubblewrap: no network, no files of this machine but programs, nothing that outlives the run. The
 * project and the run's folder are copied in, and written to in memory alone; regular files that have changed come back at the end.
 */
export function createBubblewrap(settings: BubblewrapSettings): Sandbox {
  let runs = 0;
  return {
    kind: 'bubblewrap',
    takesAnyFiles: true,
    launch: async (request) => {
      await checkProgram(request);
      runs += 1;
      const uid = settings.asRoot ? FIRST_UID + (runs % UIDS) : null;
      const ownDir = await mkdtemp(join(tmpdir(), ownPrefix));
      try {
        return await launchIn(ownDir, uid, request, settings);
      } finally {
        await rm(ownDir, { recursive: true, force: true, maxRetries: 3 });
      }
    },
  };
}

/** Inside, a missing program would be an exit code that the program may have as well. */
async function checkProgram({ file, env, signal }: LaunchRequest): Promise<void> {
  signal.throwIfAborted();
  const folders = file.includes('/') ? [''] : (env.PATH ?? '').split(':');
  if ((await findProgram(file, folders)) !== null) return;
  throw Object.assign(new Error(`${file} is not there (ENOENT)`), { code: 'ENOENT' });
}

type Files = Readonly<{ back: string; status: string }>;

async function launchIn(
  ownDir: string,
  uid: number | null,
  request: LaunchRequest,
  settings: BubblewrapSettings,
): Promise<ProcessEnd> {
  const files: Files = { back: join(ownDir, 'back.tar'), status: join(ownDir, 'status.json') };
  const own = (await present(request.readOnly)).map((path) => ({ from: path, at: path }));
  const readOnly = uid === null ? own : await reachable(own, join(ownDir, 'own'));
  const cgroup = (await settings.cgroups?.open(LIMITS)) ?? null;
  try {
    const end = await runProcess({
      file: settings.tools.setpriv,
      args: outsideArguments(request, settings, { files, readOnly, uid, cgroup }),
      cwd: '/',
      env: request.env,
      input: 'held',
      timeoutMs: request.timeoutMs + AROUND_MS,
      signal: request.signal,
      keep: 'tail',
      limitBytes: request.limitBytes,
      endAfterBytes: LIMITS.outputBytes,
    });
    const told = await readFile(files.status, 'utf8').catch(() => '');
    if (end.kind === 'exited' && !told.includes('"exit-code"')) throwUnlessKilled(end);
    await unpackFiles(files.back, [request.runDir, request.projectDir], LIMITS.back);
    return end.kind === 'exited' && end.durationMs >= request.timeoutMs ? { ...end, kind: 'deadline' } : end;
  } finally {
    await cgroup?.close();
  }
}

type Around = Readonly<{ files: Files; readOnly: readonly Mounted[]; uid: number | null; cgroup: Cgroup | null }>;

/** The whole command line, from the first program outside to the last inside. */
function outsideArguments(request: LaunchRequest, settings: BubblewrapSettings, around: Around): string[] {
  const { tools, system } = settings;
  const { projectDir, runDir, timeoutMs } = request;
  const joinFiles = around.cgroup?.joinFiles ?? [];
  const ownUser =
    around.uid === null
      ? []
      : [
          ...[tools.setpriv, `--reuid=${around.uid}`, `--regid=${around.uid}`, '--clear-groups'],
          ...['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--'],
        ];
  return [
    // A worker that is killed takes its runs along; see also the shell inside.
    ...['--pdeathsig', 'KILL', '--', tools.sh, '-c', OUTSIDE, 'outside'],
    ...[around.files.back, around.files.status, projectDir.slice(1), runDir.slice(1), tools.tar],
    ...[String(joinFiles.length), ...joinFiles],
    ...ownUser,
    tools.bwrap,
    ...bubblewrapArguments({ projectDir, runDir, system, readOnly: [...settings.readOnly, ...around.readOnly] }),
    '--',
    ...limited(tools, Math.ceil(timeoutMs / 1000) + 1),
    ...[tools.sh, '-c', INSIDE, 'inside', runDir.slice(1), projectDir.slice(1), (timeoutMs / 1000).toFixed(3)],
    ...[tools.tar, tools.timeout],
    ...[request.file, ...request.args],
  ];
}

const limited = ({ prlimit }: Tools, cpuSeconds: number): string[] => [
  prlimit,
  ...[`--cpu=${cpuSeconds}`, `--fsize=${LIMITS.fileBytesEach}`, `--data=${LIMITS.dataBytesEach}`],
  ...[`--nproc=${LIMITS.processes}`, `--nofile=${LIMITS.openFilesEach}`, '--core=0', '--'],
];

/** Bubblewrap says how its program ended once it was started. It says nothing when it was killed for want of memory. */
function throwUnlessKilled({ exitCode, stdout }: ProcessEnd): void {
  if (exitCode === null || exitCode > 128) return;
  throw sandboxMissing(stdout.toString('utf8').trim().slice(-300) || `exit code ${exitCode}`);
}

/** @param why as bubblewrap or the system has put it */
export const sandboxMissing = (why: string): AppError =>
  new AppError(
    'sandbox_missing',
    `Files of builds run in a sandbox only, and on this machine none can be had (${why}). Install the package bubblewrap ` +
      '(0.8 or newer) and allow unprivileged user namespaces (in a container: docs/operations.md, "Sandbox"). Only where ' +
      'builds may do all that this user may, set SANDBOX=off, with a real provider also SANDBOX_OFF_CONFIRMED=yes.',
    {},
    { cause: why },
  );
