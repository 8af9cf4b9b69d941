import { type ChildProcess, spawn } from 'node:child_process';
import { createOutput, type Output } from './output.ts';

export type ProcessRequest = Readonly<{
  file: string;
  args: readonly string[];
  cwd: string;
  /** The whole environment: nothing of ours is added. */
  env: Readonly<Record<string, string>>;
  /** `held`: nothing comes, and it ends with this process or the program. Default: it has ended. */
  input?: readonly (string | Uint8Array)[] | 'held';
  timeoutMs: number;
  signal: AbortSignal;
  /** `whole`: stdout up to the limit, more ends the process. `tail`: the last bytes of stdout and stderr, mixed. */
  keep: 'whole' | 'tail';
  limitBytes: number;
  /** Ends a process that has written more, however much of it is kept. Default: no bound. */
  endAfterBytes?: number;
  /** Time between SIGTERM and SIGKILL, for programs that have locks to remove. Default 0: killed at once. */
  graceMs?: number;
}>;

export type ProcessEnd = Readonly<{
  /** `exited` also when it died of a signal of its own (`exitCode` is null then). */
  kind: 'exited' | 'deadline' | 'overflow';
  exitCode: number | null;
  stdout: Buffer;
  /** The last 4 kB. With `keep: 'tail'` it is part of `stdout` and empty here. */
  stderr: string;
  durationMs: number;
}>;

/**
 * Where programs are looked for, the running Node's own folder first. A constant, so that no variable of ours decides what
 * is run.
 */
export function toolPath(execPath: string = process.execPath): string {
  const folder = execPath.slice(0, execPath.lastIndexOf('/'));
  return `${folder}:/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin`;
}

const STDERR_BYTES = 4096;
const DRAIN_MS = 500;

/**
 * Runs one program in its own process group. When it ends, for whatever reason, nothing of the group stays alive.
 *
 * @throws the signal's reason when aborted; Node's spawn error (`ENOENT`, `EACCES`, …) when it could not be started.
 */
export function runProcess(request: ProcessRequest): Promise<ProcessEnd> {
  const { signal } = request;
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(request.file, request.args, {
      cwd: request.cwd,
      env: request.env,
      detached: true,
      stdio: [request.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    let cause: 'exited' | 'deadline' | 'overflow' | 'aborted' = 'exited';
    const stop = (why: 'deadline' | 'overflow' | 'aborted'): void => {
      if (cause !== 'exited') return;
      cause = why;
      killGroup(child, request.graceMs ?? 0);
    };
    const stdout = createOutput(request.limitBytes, request.keep === 'tail');
    const stderr = createOutput(STDERR_BYTES, true);
    let writtenBytes = 0;
    const take = (output: Output, chunk: Buffer): void => {
      writtenBytes += chunk.length;
      if (!output.add(chunk) || writtenBytes > (request.endAfterBytes ?? Number.POSITIVE_INFINITY)) stop('overflow');
    };
    child.stdout?.on('data', (chunk: Buffer) => take(stdout, chunk));
    child.stderr?.on('data', (chunk: Buffer) => take(request.keep === 'tail' ? stdout : stderr, chunk));
    const onAbort = (): void => stop('aborted');
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => stop('deadline'), request.timeoutMs);
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    child.once('error', (error) => settle(() => reject(error)));
    child.once('exit', () => sweep(child));
    child.once('close', (exitCode) =>
      settle(() => {
        if (cause === 'aborted') return reject(signal.reason);
        const durationMs = Math.round(performance.now() - startedMs);
        resolve({
          kind: cause,
          exitCode,
          stdout: stdout.content(),
          stderr: stderr.content().toString('utf8'),
          durationMs,
        });
      }),
    );
    feed(child, request.input);
  });
}

function feed(child: ChildProcess, input: ProcessRequest['input']): void {
  if (input === undefined || child.stdin === null) return;
  // A program that ends early closes its input; its exit code tells why.
  child.stdin.on('error', () => undefined);
  if (input === 'held') return;
  for (const part of input) child.stdin.write(part);
  child.stdin.end();
}

function killGroup(child: ChildProcess, graceMs: number): void {
  sendToGroup(child, graceMs === 0 ? 'SIGKILL' : 'SIGTERM');
  const timer = setTimeout(() => sendToGroup(child, 'SIGKILL'), graceMs);
  child.once('exit', () => clearTimeout(timer));
}

/** The leader is gone: ends what it left running, and closes pipes that a process outside the group still holds open. */
function sweep(child: ChildProcess): void {
  sendToGroup(child, 'SIGKILL');
  const timer = setTimeout(() => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, DRAIN_MS);
  child.once('close', () => clearTimeout(timer));
}

function sendToGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // The whole group is gone already.
  }
}
