import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileInto } from '../../scripts/compile.mjs';
import { within } from '../../src/within.ts';

const START_DEADLINE_MS = 60_000;
const ANSWER_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 10_000;

const PROCESSES = ['api-server', 'build-worker', 'floor-worker', 'instant-model'] as const;
export type ProcessName = (typeof PROCESSES)[number];
const COMPILED = fileURLToPath(new URL('../../dist/bench', import.meta.url));

/** Compiles them as the product's programs are: a loader leaves marks in what it translates, which take time. */
export async function compileProcesses(): Promise<void> {
  const sources = [...PROCESSES.map((name) => `${name}.ts`), '../../src/workflow-thread.ts'];
  await compileInto(
    COMPILED,
    sources.map((path) => fileURLToPath(new URL(path, import.meta.url))),
  );
}

type Answer = Readonly<{ id: number; value?: unknown; error?: string }>;

/** A process of the bench: it answers questions, and ends by itself when the bench does. */
export type Child<Ready> = Readonly<{
  pid: number;
  ready: Ready;
  ask<T>(question: string, argument?: unknown): Promise<T>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}>;

export type ChildOptions = Readonly<{ nodeArguments?: readonly string[] }>;

function waitForExit(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

/** Starts a process, which was compiled, with one argument, as JSON, and waits until it says that it is ready. */
export async function startChild<Ready>(
  name: ProcessName,
  argument: unknown,
  { nodeArguments = [] }: ChildOptions = {},
): Promise<Child<Ready>> {
  const child = fork(join(COMPILED, `${name}.mjs`), [JSON.stringify(argument)], {
    execArgv: ['--enable-source-maps', '--expose-gc', ...nodeArguments],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, (answer: Answer) => void>();
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  const gone = (why: string): void => {
    for (const [id, settle] of waiting) settle({ id, error: `${name} ${why}` });
    waiting.clear();
  };
  child.once('exit', (code, signal) => gone(`ended (${signal ?? code})`));
  child.once('error', (error) => gone(`failed: ${error.message}`));
  let last = 0;
  const answerTo = <T>(id: number, deadlineMs: number): Promise<T> => {
    const answered = new Promise<T>((resolve, reject) => {
      waiting.set(id, ({ value, error }) => (error === undefined ? resolve(value as T) : reject(new Error(error))));
    });
    return within(answered, deadlineMs);
  };
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    await within(waitForExit(child), STOP_DEADLINE_MS).catch(() => child.kill('SIGKILL'));
  };
  try {
    const ready = await answerTo<Ready>(0, START_DEADLINE_MS);
    return {
      pid: child.pid ?? 0,
      ready,
      ask: (question, value) => {
        const id = ++last;
        const answered = answerTo<never>(id, ANSWER_DEADLINE_MS);
        child.send({ id, question, value });
        return answered;
      },
      kill: async () => {
        child.kill('SIGKILL');
        await waitForExit(child);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
