/** The bench: what a build costs beyond what any six activities cost. `npm run bench -- --quick` for a first look. */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { type BenchArguments, readArguments } from './arguments.ts';
import { runCases } from './cases/run-cases.ts';
import { report } from './report.ts';
import { openSetup, type Setup } from './setup.ts';

const log = (line: string): void => console.error(`bench: ${line}`);

/** Far beyond what a run takes on two busy cores. */
const DEADLINE_MS = 15 * 60_000;
const CLOSE_DEADLINE_MS = 30_000;
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

async function run(options: BenchArguments): Promise<void> {
  const [cpu] = cpus();
  const machine = {
    cpus: cpus().length,
    cpuModel: cpu?.model ?? 'unknown processor',
    node: process.versions.node,
    loadBefore: loadavg()[0] ?? 0,
  };
  const profile = options.profileDir === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(options.profileDir)}`];
  const opening = openSetup({ log, nodeArguments: profile });
  endEarly(opening);
  const setup = await opening;
  try {
    const figures = { machine, ...(await runCases(setup, options, log)) };
    console.log(`\n${report(figures)}`);
    if (options.jsonFile !== null) await writeFile(options.jsonFile, `${JSON.stringify(figures, null, 2)}\n`);
  } finally {
    await setup.close();
  }
}

/** Ctrl-C in the middle, or a bench that hangs: what was started is stopped, and the temporary folder removed. */
function endEarly(opening: Promise<Setup>): void {
  const end = (code: number): void => {
    setTimeout(() => process.exit(code), CLOSE_DEADLINE_MS).unref();
    opening
      .then((setup) => setup.close())
      .catch(() => undefined)
      .finally(() => process.exit(code));
  };
  for (const [signal, code] of Object.entries(SIGNALS)) process.once(signal, () => end(code));
  const giveUp = (): void => {
    log(`gave up after ${DEADLINE_MS / 60_000} minutes`);
    end(1);
  };
  setTimeout(giveUp, DEADLINE_MS).unref();
}

try {
  await run(readArguments(process.argv.slice(2)));
} catch (error) {
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
}
process.exit();
