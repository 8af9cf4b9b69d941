import { AppError } from '../errors.ts';

/** What an entry point starts: it runs until a signal comes or it ends by itself. */
export type Running = Readonly<{ stopped: Promise<unknown>; stop(): Promise<void> }>;

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** A stop that hangs is cut off: the embedded servers end with this process in any case. */
const STOP_DEADLINE_MS = 20_000;

/** Prints what a person can act on: an AppError's sentence, or the whole of an error that nobody foresaw. */
function tellFailure(error: unknown): void {
  const told =
    error instanceof AppError ? error.message : error instanceof Error ? (error.stack ?? error.message) : error;
  process.stderr.write(`${String(told)}\n`);
}

/** An option that did nothing would be believed to do something: `npm run migrate -- --dry-run`. */
function requireNoArguments([first]: readonly string[]): void {
  if (first === undefined) return;
  process.stderr.write(
    `"${first}" is not known: this command takes no arguments. Settings are environment variables.\n`,
  );
  process.exit(2);
}

/**
 * Runs an entry point to its end and exits: 0 when it stopped by itself, 1 when it failed, 2 when it was given an argument,
 * 128 + n after signal n.
 * A signal during the start aborts it where it takes long, else waits for it, so that what it began is stopped in order.
 */
export async function runEntryPoint(start: (signal: AbortSignal) => Promise<Running>): Promise<never> {
  requireNoArguments(process.argv.slice(2));
  const interrupt = new AbortController();
  const signalled = new Promise<number>((resolve) => {
    for (const [signal, code] of Object.entries(SIGNALS)) process.once(signal, () => resolve(code));
  });
  void signalled.then(() => {
    endInTime();
    interrupt.abort();
  });
  let code = 0;
  const failed = (error: unknown): void => {
    tellFailure(error);
    code = 1;
  };
  try {
    const running = await start(interrupt.signal);
    const stopped = running.stopped.then(() => 0);
    code = await Promise.race([signalled, stopped]).catch((error: unknown) => {
      failed(error);
      return 1;
    });
    endInTime();
    await running.stop();
  } catch (error) {
    if (interrupt.signal.aborted && error === interrupt.signal.reason) code = await signalled;
    else failed(error);
  }
  process.exit(code);
}

function endInTime(): void {
  setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
}
