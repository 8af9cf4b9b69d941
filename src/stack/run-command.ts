import { type ChildProcess, spawn } from 'node:child_process';

const OUTPUT_LIMIT_CHARS = 20_000;
/** What a command may take to clean up: `go` has hundreds of megabytes in the system's temporary folder. */
const GRACE_MS = 2_000;
/** How long after its end output is waited for, where a process that it has left behind keeps the streams open. */
const DRAIN_MS = 500;
/** Windows has no process groups; there a detached command gets a window. */
const GROUPS = process.platform !== 'win32';

export type RunResult = Readonly<{
  /** null when the command could not be started, was killed, or reached its deadline. */
  code: number | null;
  /** The end of what it wrote to both streams, or why it could not be started. */
  output: string;
  timedOut: boolean;
}>;

export type RunOptions = Readonly<{
  deadlineMs: number;
  cwd?: string;
  uid?: number;
  gid?: number;
  input?: string;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
}>;

/**
 * Runs a command to its end. Never throws: a missing command is a result too. A command past its deadline, or whose signal
 * aborts, is interrupted and soon killed, with all that it has started; when this process exits, it is killed at once.
 */
export function run(
  command: string,
  args: readonly string[],
  { deadlineMs, input, signal, ...spawnOptions }: RunOptions,
): Promise<RunResult> {
  return new Promise((resolve) => {
    // A process group of its own, so that it is ended whole: what a compiler has started outlives it for long.
    const child = spawn(command, args, { ...spawnOptions, detached: GROUPS, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    let timedOut = false;
    let grace: NodeJS.Timeout | undefined;
    let drain: NodeJS.Timeout | undefined;
    const kill = (): void => send(child, 'SIGKILL');
    const end = (): void => {
      send(child, 'SIGINT');
      grace ??= setTimeout(kill, GRACE_MS);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, deadlineMs);
    const finish = (code: number | null): void => {
      clearTimeout(timer);
      clearTimeout(grace);
      clearTimeout(drain);
      process.off('exit', kill);
      signal?.removeEventListener('abort', end);
      resolve({ code: grace === undefined ? code : null, output, timedOut });
    };
    const append = (chunk: string): void => {
      output = (output + chunk).slice(-OUTPUT_LIMIT_CHARS);
    };
    process.once('exit', kill);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) end();
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', append);
    child.once('error', (error) => {
      append(error.message);
      finish(null);
    });
    // What it wrote may be read after its exit: the streams are closed when all of it is.
    child.once('close', finish);
    child.once('exit', () => {
      // What it left behind ignored the interruption.
      if (grace !== undefined) kill();
      drain = setTimeout(() => {
        for (const stream of [child.stdout, child.stderr]) stream.destroy();
      }, DRAIN_MS);
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}

function send(child: ChildProcess, name: 'SIGINT' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    if (GROUPS) process.kill(-child.pid, name);
    else child.kill('SIGKILL');
  } catch {
    // All of it is gone already.
  }
}
