import { AppError } from '../../errors.ts';
import { type ProcessEnd, runProcess, toolPath } from '../sandbox/run-process.ts';

export type GitRequest = Readonly<{
  /** The bare repository. */
  repository: string;
  args: readonly string[];
  input?: readonly (string | Uint8Array)[];
  /** More than `GIT_*` of our own choosing never gets in. */
  env?: Readonly<Record<string, string>>;
  signal: AbortSignal;
}>;

/** The deadline of one git command, in ms. A lock file older than this has no living owner. */
export const GIT_TIMEOUT_MS = 30_000;

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
  const end = await start(request);
  if (end.kind === 'exited' && end.exitCode === 0) return end.stdout;
  throw failed(request, end);
}

async function start(request: GitRequest): Promise<ProcessEnd> {
  try {
    return await runProcess({
      file: 'git',
      args: [...SETTINGS, `--git-dir=${request.repository}`, ...request.args],
      cwd: request.repository,
      env: { ...ENVIRONMENT, ...request.env },
      ...(request.input === undefined ? {} : { input: request.input }),
      timeoutMs: GIT_TIMEOUT_MS,
      signal: request.signal,
      keep: 'whole',
      limitBytes: OUTPUT_BYTES,
      graceMs: GRACE_MS,
    });
  } catch (error) {
    if (request.signal.aborted) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError(
      'workspace_failed',
      `git could not be started (${why}). Is git installed, and is the repository ${request.repository} there?`,
      {},
      { cause: error },
    );
  }
}

function failed(request: GitRequest, end: ProcessEnd): AppError {
  const what = `git ${request.args[0]} in ${request.repository}`;
  if (end.kind === 'deadline')
    return new AppError('workspace_failed', `${what} did not end within ${GIT_TIMEOUT_MS} ms.`);
  if (end.kind === 'overflow') return new AppError('workspace_failed', `${what} gave more than ${OUTPUT_BYTES} bytes.`);
  return new AppError(
    'workspace_failed',
    `${what} failed with exit code ${end.exitCode}: ${end.stderr.trim().slice(-1000)}`,
  );
}
