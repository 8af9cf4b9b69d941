import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Commit } from '../../machine/build.ts';
import type { Workspaces } from '../workspace/workspaces.ts';
import { baseTests } from './base-tests.ts';
import type { ChangedLines } from './changed-coverage.ts';
import { judgeRun } from './gate.ts';
import type { Hollow } from './hollow-ast.mjs';
import { createIdleTests } from './idle-tests.ts';
import { type Prepared, preparedIn } from './packages.ts';
import { scanProject } from './project.ts';
import type { TestReport, TestRun } from './report.ts';
import { runTests } from './run-tests.ts';
import type { Sandbox } from './sandbox.ts';

export type MeasureInput = Readonly<{
  workspaces: Pick<Workspaces, 'exportTree' | 'changedLines'>;
  workflowId: string;
  at: Pick<Commit, 'commit' | 'bundle'>;
  /** The user's source with which the build began, since which changes count; null when it was made anew: all counts. */
  base: Commit | null;
  /** Tests that must be among those that ran. */
  required: readonly string[];
  sandbox: Sandbox;
  /** Where copies are made; it is created when missing. They are gone when the call ends. */
  tmpDir: string;
  timeoutMs: number;
  signal: AbortSignal;
}>;

/** What a run with hollow functions may take: a test that waits for them for ever has shown that it needs them. */
const HOLLOW_LEAST_MS = 3_000;
const HOLLOW_FACTOR = 3;

/** See {@link createMeasure}. */
export type MeasureTests = (input: MeasureInput) => Promise<TestReport>;

/**
 * Runs the tests of a commit, each run on a fresh copy, so that nothing a run leaves behind is seen by the next, and judges
 * them by the rules of the gate. Throws as `runTests`.
 *
 * @param dependenciesDir a folder with `node_modules` and `python` that an operator has prepared, or null
 */
export function createMeasure(dependenciesDir: string | null): MeasureTests {
  const idleTests = createIdleTests();
  return async (input) => {
    const { base, required, workspaces, workflowId, signal } = input;
    const startedAt = performance.now();
    const leftMs = (): number => Math.max(1, input.timeoutMs - (performance.now() - startedAt));
    const prepared = await preparedIn(dependenciesDir);
    const run = (copy: Omit<Copy, 'prepared'>): Promise<TestRun> =>
      runCopy(input, { ...copy, timeoutMs: Math.min(copy.timeoutMs, leftMs()), prepared });
    const before =
      base &&
      (await baseTests(input, base, (at) =>
        run({ at, timeoutMs: leftMs(), gives: null, changed: NOTHING_CHANGED, measuresLines: false }),
      ));
    const changed = base && (await workspaces.changedLines({ workflowId, ...input.at, base: base.commit, signal }));
    const head = { at: input.at, changed };
    const found = await run({ ...head, timeoutMs: leftMs(), gives: null, measuresLines: true });
    const timeoutMs = Math.max(HOLLOW_LEAST_MS, HOLLOW_FACTOR * found.durationMs);
    const key = `${input.at.commit} ${base?.commit}`;
    const hollow = { ...head, timeoutMs, measuresLines: false };
    const judged = { ran: found.ran, theirs: new Set(before?.passed) };
    const idle = isClean(found) ? await idleTests(key, judged, (gives) => run({ ...hollow, gives })) : null;
    return { ...judgeRun({ run: found, idle, base: before, required, changed }), sandbox: input.sandbox.kind };
  };
}

const NOTHING_CHANGED: ChangedLines = new Map();

type Copy = Readonly<{
  at: MeasureInput['at'];
  changed: ChangedLines | null;
  /** What the functions of changed sources shall give; null leaves them as they are. */
  gives: Hollow | null;
  measuresLines: boolean;
  prepared: Prepared;
  timeoutMs: number;
}>;

async function runCopy(input: MeasureInput, { at, gives, changed, ...limits }: Copy): Promise<TestRun> {
  const { workspaces, workflowId, sandbox, signal } = input;
  await mkdir(input.tmpDir, { recursive: true });
  const copy = await mkdtemp(join(input.tmpDir, 'measure-'));
  try {
    const dir = join(copy, 'project');
    const { commit, bundle } = at;
    await workspaces.exportTree({ workflowId, commit, bundle, intoDir: dir, signal });
    const hollow = gives && { gives, paths: await changedSources(dir, changed) };
    const isUsers = (path: string): boolean => changed !== null && !changed.has(path);
    return await runTests({ dir, sandbox, signal, hollow, isUsers, ...limits });
  } finally {
    await rm(copy, { recursive: true, force: true, maxRetries: 3 });
  }
}

const isClean = (run: TestRun): boolean => run.failed.length + run.broken.length + run.faults.length === 0;

async function changedSources(dir: string, changed: ChangedLines | null): Promise<string[]> {
  const { node, python, vitest } = await scanProject(dir);
  const sources = new Set([node, python, vitest].flatMap((one) => one.sources));
  return [...sources].filter((path) => changed === null || changed.has(path));
}
