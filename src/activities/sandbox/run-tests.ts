import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AppError } from '../../errors.ts';
import { choosePlan, HOW_TO_WRITE, runnerOf } from './choose-plan.ts';
import { linkPackages, type Prepared, writtenPackages } from './packages.ts';
import { scanProject } from './project.ts';
import {
  cleanObserved,
  createCleaner,
  NOTHING_OBSERVED,
  type Observed,
  type Runner,
  type TestFailure,
  type TestRun,
  WHOLE_RUN,
} from './report.ts';
import type { HollowFiles, RunPlan } from './run-plan.ts';
import { type ProcessEnd, toolPath } from './run-process.ts';
import type { Sandbox } from './sandbox.ts';
import { fingerprint } from './untouched.ts';

type RunTestsInput = Readonly<{
  /** The root of the project. The run may write into it. */
  dir: string;
  sandbox: Sandbox;
  /** Packages that an operator has prepared. Default none. */
  prepared?: Prepared;
  /** Whether a file is the user's, as it was in the source with which the build began. Default: none is. */
  isUsers?: (path: string) => boolean;
  /** Files whose functions shall do nothing in this run. Default none. */
  hollow?: HollowFiles | null;
  /** Whether it is measured which lines the tests reach. Default true; a run without takes less time. */
  measuresLines?: boolean;
  timeoutMs: number;
  signal: AbortSignal;
  /** How much of the output's end is kept, in bytes. Default 64 kB. */
  limitBytes?: number;
}>;

const NOTHING_PREPARED: Prepared = { node: null, python: null };
const OUTPUT_LIMIT_BYTES = 64 * 1024;

/**
 * Runs the tests of a project in a process group of its own, without our environment, and measures which lines they reach.
 * Failing tests, no tests and a run over its deadline are results; the project's files decide only what is tested, not how.
 *
 * @throws AppError `test_runtime_missing` when this machine cannot run such tests; the signal's reason when aborted.
 */
export async function runTests(input: RunTestsInput): Promise<TestRun> {
  const dir = await realpath(input.dir);
  const runDir = await realpath(await mkdtemp(join(tmpdir(), 'q-tests-')));
  try {
    const project = await scanProject(dir);
    const runner = await runnerOf(project, dir);
    const { hollow = null, measuresLines = true, prepared = NOTHING_PREPARED, isUsers = () => false } = input;
    const written = await writtenPackages(dir, isUsers);
    if (written.length > 0) return nothingRun(runner, written);
    await linkPackages(dir, prepared);
    const how = { hollow, measuresLines, isUsers, pythonPackages: prepared.python };
    const plan = await choosePlan(runner, { project, dir, runDir, ...how });
    if (typeof plan === 'string') return nothingRun(runner, [fault(plan)]);
    const before = await fingerprint(project, dir);
    const end = await start(plan, dir, runDir, input);
    const observed = await plan.observe();
    const touched = before === (await fingerprint(project, dir)) ? [] : [TOUCHED];
    const clean = createCleaner([dir, runDir, dirname(process.execPath), ...plan.ownFolders]);
    return {
      ...cleanObserved(observed, clean),
      runner,
      faults: [...touched, ...wholeRunFaults(runner, end, observed, input.timeoutMs)],
      durationMs: end.durationMs,
      output: clean(end.stdout.toString('utf8')),
      exitCode: end.kind === 'exited' ? end.exitCode : null,
    };
  } finally {
    await rm(runDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function start(plan: RunPlan, dir: string, runDir: string, input: RunTestsInput): Promise<ProcessEnd> {
  const home = join(runDir, 'home');
  await mkdir(home);
  try {
    const end = await input.sandbox.launch({
      file: plan.file,
      args: plan.args,
      projectDir: dir,
      runDir,
      readOnly: [...plan.ownFolders, ...Object.values(input.prepared ?? {}).filter((path) => path !== null)],
      env: { PATH: toolPath(), HOME: home, TMPDIR: home, LANG: 'C.UTF-8', NO_COLOR: '1' },
      timeoutMs: input.timeoutMs,
      signal: input.signal,
      limitBytes: input.limitBytes ?? OUTPUT_LIMIT_BYTES,
    });
    if (end.kind === 'exited' && plan.unfitExitCode !== undefined && end.exitCode === plan.unfitExitCode) {
      throw runtimeMissing(plan, end.stdout.toString('utf8').trim().slice(-200));
    }
    return end;
  } catch (error) {
    if (input.signal.aborted || error instanceof AppError) throw error;
    throw runtimeMissing(plan, error instanceof Error ? error.message : String(error), error);
  }
}

const fault = (reason: string): TestFailure => ({ name: WHOLE_RUN, reason });

const TOUCHED = fault('the run changed source or test files of the project: tests may write to temporary folders only');

/** What is wrong with the run itself, where the tests' own failures do not already say it. */
function wholeRunFaults(runner: Runner, end: ProcessEnd, observed: Observed, timeoutMs: number): TestFailure[] {
  if (end.kind === 'overflow') return [fault('wrote far too much output and was stopped')];
  if (end.kind !== 'exited') {
    return [fault(`did not end within ${timeoutMs} ms and was stopped: is a test waiting for ever?`)];
  }
  if (!observed.sealed) {
    const reason = `ended with exit code ${end.exitCode} and without a report of our own runner`;
    return [fault(`${reason}: does a test end the process, or write to the report?`)];
  }
  if (observed.failed.length > 0 || observed.broken.length > 0) return [];
  if (observed.ran.length === 0) return [fault(`no test ran: ${HOW_TO_WRITE[runner]}`)];
  if (end.exitCode === 0) return [];
  return [fault(`ended with exit code ${end.exitCode ?? 'none (a signal)'} although no test failed`)];
}

function nothingRun(runner: Runner, faults: readonly TestFailure[]): TestRun {
  return { ...NOTHING_OBSERVED, runner, faults, durationMs: 0, output: '', exitCode: null };
}

function runtimeMissing(plan: RunPlan, why: string, cause?: unknown): AppError {
  const needed = plan.file === 'python3' ? 'python3 (3.10 or newer)' : 'Node';
  return new AppError(
    'test_runtime_missing',
    `The build's tests need ${needed}, which could not be started (${why}). Install it on the worker's machine, on the PATH ${toolPath()}, then retry.`,
    {},
    { cause },
  );
}
