import { keepContent } from '../../artifacts/contents.ts';
import { AppError } from '../../errors.ts';
import type { ModelResult } from '../../machine/commands.ts';
import { extractResult } from '../../machine/payloads.ts';
import type { Phase } from '../../machine/states.ts';
import type { MeasureOutput, PhaseInput, PhaseOutput } from '../contract.ts';
import type { ActivityDeps } from '../deps.ts';
import type { Done } from './done.ts';
import { faultText, keepReport, runTestsOf } from './measured.ts';
import { metered } from './metered.ts';
import { PHASE_WORK } from './phase-work.ts';
import { summaryOf } from './summary.ts';

/** Makes a result small enough to travel: whole when it is small, else the verdict's fields and a reference. */
async function toResult(deps: ActivityDeps, phase: Phase, done: Done): Promise<ModelResult> {
  const value = { ...done.value, summary: summaryOf(phase, done.value) };
  const content = await keepContent(deps.store, value);
  const { commit, simulated: runnable } = done;
  if (content.kind === 'inline') return { data: value, full: null, commit, runnable };
  return { data: extractResult(value), full: content.ref, commit, runnable };
}

/** One attempt of a model-driven phase. */
export async function phase(deps: ActivityDeps, input: PhaseInput): Promise<PhaseOutput> {
  const { done, ...rest } = await metered(deps, input, async (attempt) =>
    toResult(deps, input.phase, await PHASE_WORK[input.phase](attempt)),
  );
  return { result: done, ...rest };
}

/** The gate of an external tester: the orchestrator's own run of the tests. */
export async function measure(deps: ActivityDeps, input: PhaseInput): Promise<MeasureOutput> {
  const { done, ...rest } = await metered(deps, input, async (attempt) => {
    const { head } = input.build;
    if (head === null) throw new AppError('workspace_failed', 'The build has no commit whose tests could be run.');
    const report = await runTestsOf(attempt, head);
    const full = await keepReport(deps, report);
    const { passed, coverage, sandbox } = report;
    const where = sandbox === 'none' ? ', run without a sandbox' : '';
    const summary = faultText(report, input.build.spec.coverageMin) ?? `all tests pass${where}`;
    return { passed, coverage, summary, full };
  });
  return { measurement: done, ...rest };
}
