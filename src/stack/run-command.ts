import { spawn } from 'node:child_process';

const OUTPUT_LIMIT_CHARS = 20_000;

export type RunResult = Readonly<{
  /** null when the command could not be started, was killed, or reached its deadline. */
  code: number | null;
  /** The end of what it wrote to both streams, or why it could not be started. */
  output: string;
  timedOut: boolean;
}>;

/** Runs a command to its end. Never throws: a missing command is a result too. A command past its deadline is killed. */
export function run(
  command: string,
  args: readonly string[],
  options: { deadlineMs: number; cwd?: string; uid?: number; gid?: number; input?: string; env?: NodeJS.ProcessEnv },
): Promise<RunResult> {
  const { deadlineMs, input, ...spawnOptions } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...spawnOptions, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    let timedOut = false;
    const kill = (): boolean => child.kill('SIGKILL');
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, deadlineMs);
    const finish = (code: number | null): void => {
      clearTimeout(timer);
      process.off('exit', kill);
      resolve({ code, output, timedOut });
    };
    const append = (chunk: string): void => {
      output = (output + chunk).slice(-OUTPUT_LIMIT_CHARS);
    };
    process.once('exit', kill);
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', append);
    child.once('error', (error) => {
      append(error.message);
      finish(null);
    });
    // Not 'close': a grandchild that keeps the streams open must not keep us.
    child.once('exit', (code) => setImmediate(() => finish(code)));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}
