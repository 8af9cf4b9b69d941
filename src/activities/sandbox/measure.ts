import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspaces } from '../workspace/workspaces.ts';
import type { TestReport } from './report.ts';
import { runTests } from './run-tests.ts';
import type { Sandbox } from './sandbox.ts';

export type MeasureInput = Readonly<{
  workspaces: Pick<Workspaces, 'exportTree'>;
  workflowId: string;
  commit: string;
  sandbox: Sandbox;
  /** Where the copy is made; it is created when missing. The copy is gone when the call ends. */
  tmpDir: string;
  timeoutMs: number;
  signal: AbortSignal;
}>;

/** Runs the tests of a commit on a fresh copy, so that nothing a run leaves behind is seen by the next. Throws as `runTests`. */
export async function measureTests(input: MeasureInput): Promise<TestReport> {
  const { workflowId, commit, sandbox, timeoutMs, signal } = input;
  await mkdir(input.tmpDir, { recursive: true });
  const copy = await mkdtemp(join(input.tmpDir, 'measure-'));
  try {
    const dir = join(copy, 'project');
    await input.workspaces.exportTree({ workflowId, commit, intoDir: dir, signal });
    return await runTests({ dir, sandbox, timeoutMs, signal });
  } finally {
    await rm(copy, { recursive: true, force: true, maxRetries: 3 });
  }
}
