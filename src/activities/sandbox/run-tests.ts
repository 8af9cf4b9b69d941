import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AppError } from '../../errors.ts';
import { planNodeRun } from './node-run.ts';
import { scanProject } from './project.ts';
import { planPythonRun } from './python-run.ts';
import { boundFailures, coverageOf, createCleaner, type TestFailure, type TestReport, WHOLE_RUN } from './report.ts';
import type { RunPlan } from './run-plan.ts';
import { type ProcessEnd, toolPath } from './run-process.ts';
import type { Sandbox } from './sandbox.ts';

export type RunTestsInput = Readonly<{
  /** The root of the project. The run may write into it. */
  dir: string;
  sandbox: Sandbox;
  timeoutMs: number;
  signal: AbortSignal;
  /** How much of the output's end is kept, in bytes. Default 16 kB. */
  limitBytes?: number;
}>;

/**
 * Runs the tests of a project in a process group of its own, without our environment, and measures line coverage. Failing
 * tests, no tests and a run over its deadline are reports; the project's files decide only what is tested, not how.
 *
 * @throws AppError `test_runtime_missing` when this machine cannot run such tests; the signal's reason when aborted.
 */
export async function runTests(input: RunTestsInput): Promise<TestReport> {
  const dir = await realpath(input.dir);
  const runDir = await realpath(await mkdtemp(join(tmpdir(), 'q-tests-')));
  try {
    const plan = await choosePlan(dir, runDir);
    if (typeof plan === 'string') return nothingToRun(plan);
    const end = await start(plan, dir, runDir, input);
    const clean = createCleaner([dir, runDir, dirname(process.execPath), ...plan.ownFolders]);
    const observed = await plan.observe();
    const failures = [...(observed?.failures ?? []), ...wholeRunFaults(plan, end, observed, input.timeoutMs)];
    return {
      runner: plan.runner,
      passed: failures.length === 0,
      tests: observed?.tests ?? 0,
      names: observed?.names ?? [],
      skipped: observed?.skipped ?? [],
      failures: boundFailures(failures, clean),
      coverage: coverageOf(observed?.lines ?? { total: 0, covered: 0 }),
      coverageOf: 'all',
      durationMs: end.durationMs,
      output: clean(end.stdout.toString('utf8')),
      exitCode: end.kind === 'exited' ? end.exitCode : null,
    };
  } finally {
    await rm(runDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function choosePlan(dir: string, runDir: string): Promise<RunPlan | 'node' | 'python'> {
  const project = await scanProject(dir);
  if (project.node.tests.length > 0) return planNodeRun(project, dir, runDir);
  if (project.python.tests.length > 0) return await planPythonRun(project, dir, runDir);
  return project.python.sources.length > 0 && !project.hasPackageJson ? 'python' : 'node';
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
      readOnly: plan.ownFolders,
      env: { PATH: toolPath(), HOME: home, TMPDIR: home, LANG: 'C.UTF-8', NO_COLOR: '1' },
      timeoutMs: input.timeoutMs,
      signal: input.signal,
      limitBytes: input.limitBytes ?? 16 * 1024,
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

/** What is wrong with the run itself, where the tests' own failures do not already say it. */
function wholeRunFaults(
  plan: RunPlan,
  end: ProcessEnd,
  observed: Readonly<{ tests: number; failures: readonly TestFailure[] }> | null,
  timeoutMs: number,
): TestFailure[] {
  const fault = (reason: string): TestFailure[] => [{ name: WHOLE_RUN, reason }];
  if (end.kind !== 'exited')
    return fault(`did not end within ${timeoutMs} ms and was stopped: is a test waiting for ever?`);
  if (observed === null)
    return fault(`ended with exit code ${end.exitCode} before it could report: does a test end the process?`);
  if (observed.failures.length > 0) return [];
  if (observed.tests === 0) return fault(noTests(plan.runner));
  if (end.exitCode !== 0)
    return fault(`ended with exit code ${end.exitCode ?? 'none (a signal)'} although no test failed`);
  return [];
}

function noTests(runner: 'node' | 'python'): string {
  return runner === 'node'
    ? 'no test ran: write tests with node:test in files named *.test.js'
    : 'no test ran: write tests with unittest in files named test_*.py';
}

function nothingToRun(runner: 'node' | 'python'): TestReport {
  const failures = [{ name: WHOLE_RUN, reason: noTests(runner) }];
  const none = { tests: 0, names: [], skipped: [], coverage: 0, coverageOf: 'all', durationMs: 0, output: '' } as const;
  return { runner, passed: false, failures, ...none, exitCode: null };
}

function runtimeMissing(plan: RunPlan, why: string, cause?: unknown): AppError {
  return new AppError(
    'test_runtime_missing',
    `The build's tests need ${plan.runner === 'python' ? 'python3 (3.10 or newer)' : 'Node'}, which could not be started (${why}). Install it on the worker's machine, on the PATH ${toolPath()}, then retry.`,
    {},
    { cause },
  );
}
