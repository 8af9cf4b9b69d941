import { ApiError } from './client/api-error.ts';
import { type Everything, startAll } from './compose/all.ts';
import { installRuntime } from './compose/sdk-runtime.ts';
import { readConfig } from './config.ts';
import { withDemoKey } from './demo/demo-key.ts';
import { withDemoSource } from './demo/demo-source.ts';
import { type Interrupt, listenForInterrupt } from './demo/interrupt.ts';
import { block, line, span } from './demo/line.ts';
import { createDemoLog } from './demo/log.ts';
import { type DemoOptions, demoUsage, readDemoCommand } from './demo/options.ts';
import { runDemo } from './demo/run-demo.ts';
import { createScreen, type Screen } from './demo/screen.ts';
import { AppError, assertNever } from './errors.ts';
import { openRecipeBook } from './stack/simulated-model/recipe-book.ts';
import { unlessAborted, within } from './within.ts';

/** `npm run demo`: one build from requirements to release, with everything it needs started and stopped by itself. */

/** An interrupted start stops what it had started; it is waited for this long, then it ends with this process. */
const START_PATIENCE_MS = 8_000;
const STOP_PATIENCE_MS = 20_000;

async function show(options: DemoOptions, screen: Screen, interrupt: Interrupt, onStart: (all: Everything) => void) {
  const { signal } = interrupt;
  const { config, apiKey } = withDemoKey(withDemoSource(readConfig(), options.source));
  const log = createDemoLog(screen.warn);
  installRuntime(log);
  screen.print([line(span('Q Orchestrator', 'accent'), ': one build, from requirements to release'), line()]);
  screen.live('starting PostgreSQL and Temporal');
  const width = screen.width();
  const tell = (text: string): void => screen.print(block(span('  ✓ ', 'good'), text, 'dim', { width, maxLines: 3 }));
  const starting = startAll({ config, log, tell, signal, simulated: { paceMs: options.paceMs } });
  // Known also when nobody waits for it any more: it must be stopped in any case.
  const known = starting.then(onStart, () => undefined);
  signal.addEventListener('abort', () => screen.live('stopping everything'));
  const all = await unlessAborted(starting, signal).catch(async (error: unknown) => {
    await within(known, START_PATIENCE_MS).catch(() => undefined);
    throw error;
  });
  screen.live(null);
  const died = all.stopped.then(() => Promise.reject(new Error('the worker stopped by itself')));
  const completed = await unlessAborted(
    Promise.race([runDemo({ all, apiKey, options, config, screen, signal }), died]),
    signal,
  );
  if (options.keep) await unlessAborted(died, signal);
  return completed ? 0 : 1;
}

/** What a person can act on: the sentence of an error that was foreseen, or the whole of one that was not. */
function messageOf(error: unknown): string {
  if (error instanceof AppError || error instanceof ApiError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function run(options: DemoOptions): Promise<number> {
  const interrupt = listenForInterrupt();
  const { NO_COLOR, TERM } = process.env;
  const screen = createScreen(process.stdout, process.stderr, {
    colours: process.stdout.isTTY === true && !NO_COLOR && TERM !== 'dumb',
  });
  // A reader that goes away (`| head`) is no reason to fail halfway: nothing is left to show, so everything stops.
  process.stdout.on('error', () => process.exit(1));
  const started: Everything[] = [];
  let code: number;
  try {
    code = await show(options, screen, interrupt, (all) => started.push(all));
  } catch (error) {
    code = interrupt.signal.aborted ? interrupt.exitCode() : 1;
    screen.live(null);
    if (interrupt.signal.aborted) screen.print([line(), line('Interrupted: everything stops.')]);
    else screen.warn(messageOf(error));
  }
  screen.live('stopping everything');
  for (const all of started) {
    await within(all.stop(), STOP_PATIENCE_MS).catch((error: unknown) => screen.warn(messageOf(error)));
  }
  screen.close();
  return interrupt.signal.aborted ? interrupt.exitCode() : code;
}

async function main(): Promise<number> {
  const recipes = (): string[] => openRecipeBook().recipes.map(({ title }) => title);
  const command = readDemoCommand(process.argv.slice(2));
  switch (command.kind) {
    case 'help':
      process.stdout.write(demoUsage(recipes()));
      return 0;
    case 'wrong':
      process.stderr.write(`${command.fault}\n\n${demoUsage(recipes())}`);
      return 2;
    case 'run':
      return await run(command.options);
    default:
      return assertNever(command);
  }
}

process.exit(await main());
