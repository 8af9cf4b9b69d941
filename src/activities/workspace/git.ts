import { basename } from 'node:path';
import { AppError } from '../../errors.ts';
import { type ProcessEnd, runProcess, toolPath } from '../sandbox/run-process.ts';

export type GitRequest = Readonly<{
  /** The bare repository. */
  repository: string;
  args: readonly string[];
  input?: readonly (string | Uint8Array)[];
  /** More than `GIT_*` of our own choosing never gets in. */
  env?: Readonly<Record<string, string>>;
  /** Default {@link GIT_TIMEOUT_MS}. */
  timeoutMs?: number;
  signal: AbortSignal;
}>;

/** The deadline of a git command, in ms. */
const GIT_TIMEOUT_MS = 30_000;

const OUTPUT_BYTES = 96 * 1024 * 1024;
const GRACE_MS = 1000;

// Nothing of the machine's git configuration counts, no hook runs, nothing asks questions or starts work of its own.
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.filesRefLockTimeout=500',
  // The repositories are ours by their place; on a shared mount the owner may be another user.
  'safe.directory=*',
  'gc.auto=0',
  'init.defaultBranch=build',
  // One small pack per attempt: spares a second process and hundreds of loose files.
  'fastimport.unpackLimit=1',
  // A branch that a power cut has left empty would stop every later attempt.
  'core.fsync=committed,reference',
  // Workers on one machine move the same branch: at the stock 100 ms a busy disk is taken for a lock that nobody will release.
  'core.filesRefLockTimeout=500',
  'pack.writeReverseIndex=false',
  'core.quotePath=false',
].flatMap((setting) => ['-c', setting]);

const ENVIRONMENT = {
  PATH: toolPath(),
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
} as const;

/**
 * Runs git on one repository and returns what it wrote to stdout.
 *
 * @throws AppError `workspace_failed` with the end of git's stderr; the signal's reason when aborted.
 */
export async function git(request: GitRequest): Promise<Buffer> {
  const end = await runGit(request);
  if (end.kind === 'exited' && end.exitCode === 0) return end.stdout;
  throw failed(request, end);
}

/** As {@link git}, for callers that look at how it ended themselves. */
export async function runGit(request: GitRequest, limitBytes = OUTPUT_BYTES): Promise<ProcessEnd> {
  try {
    return await runProcess({
      file: 'git',
      args: [...SETTINGS, `--git-dir=${request.repository}`, ...request.args],
      cwd: request.repository,
      env: { ...ENVIRONMENT, ...request.env },
      ...(request.input === undefined ? {} : { input: request.input }),
      timeoutMs: request.timeoutMs ?? GIT_TIMEOUT_MS,
      signal: request.signal,
      keep: 'whole',
      limitBytes,
      graceMs: GRACE_MS,
    });
  } catch (error) {
    if (request.signal.aborted) throw error;
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new AppError(
      'workspace_failed',
      `git could not be started (${why}). Is git installed, and is the repository ${nameOf(request)} there?`,
      {},
      { cause: error },
    );
  }
}

/** What a git that did not succeed means, in words that hold no path of the machine. */
export function failed(request: GitRequest, end: ProcessEnd): AppError {
  const what = `git ${request.args.find((arg) => !arg.startsWith('-'))} in ${nameOf(request)}`;
  if (end.kind === 'deadline') {
    return new AppError('workspace_failed', `${what} did not end within ${request.timeoutMs ?? GIT_TIMEOUT_MS} ms.`);
  }
  if (end.kind === 'overflow') return new AppError('workspace_failed', `${what} gave more than ${OUTPUT_BYTES} bytes.`);
  if (DISK_FULL.test(end.stderr)) return diskFull();
  const told = end.stderr
    .replaceAll(`${request.repository}/`, '')
    .replaceAll(request.repository, nameOf(request))
    .trim()
    .slice(-1000);
  return new AppError('workspace_failed', `${what} failed with exit code ${end.exitCode}: ${told}`);
}

const nameOf = ({ repository }: GitRequest): string => basename(repository);

// The last two are all that git says of a tree that it cannot lay out; the folder was made by us a moment before.
const DISK_FULL = /No space left on device|Disk quota exceeded|Out of diskspace|unable to write (?:file|new index)/i;
const DISK_FULL_CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

const diskFull = (): AppError =>
  new AppError(
    'workspace_failed',
    "The disk of the workspaces is full: free space below the worker's DATA_DIR. Nothing half-made was kept; it is safe to try again.",
  );

/** Runs work with files of our own and tells what the disk refused in words that hold no path of the machine. */
export async function tellingDiskFaults<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) throw error;
    if (DISK_FULL_CODES.includes(error.code)) throw diskFull();
    const what = `The disk of the workspaces refused ${String(error.syscall)} (${String(error.code)})`;
    throw new AppError('workspace_failed', `${what}: may the worker write below its DATA_DIR?`, {}, { cause: error });
  }
}
