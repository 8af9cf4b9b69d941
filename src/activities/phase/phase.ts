import { Context } from '@temporalio/activity';
import { keepContent } from '../../artifacts/contents.ts';
import { AppError } from '../../errors.ts';
import type { ModelResult } from '../../machine/commands.ts';
import { extractResult } from '../../machine/payloads.ts';
import type { Phase } from '../../machine/states.ts';
import type { MeasureOutput, PhaseInput, PhaseOutput } from '../contract.ts';
import type { ActivityDeps } from '../deps.ts';
import { flushOnce } from '../flush.ts';
import type { Attempt } from './ask-role.ts';
import type { Done } from './done.ts';
import { phaseFailure } from './failure.ts';
import { failureText, keepReport, runTestsOf } from './measured.ts';
import { PHASE_WORK } from './phase-work.ts';
import { summaryOf } from './summary.ts';
import { startMeter } from './work-meter.ts';

/** Runs work under a meter, with the flush beside it, and turns what goes wrong into what the workflow understands. */
async function metered<T>(
  deps: ActivityDeps,
  input: PhaseInput,
  work: (attempt: Attempt) => Promise<T>,
): Promise<{ done: T; ackedSeq: number; work: PhaseOutput['work'] }> {
  const context = Context.current();
  const meter = startMeter(context, input.remainingMs);
  // The flush needs nothing of the work and never fails, so the two run side by side.
  const flushed = flushOnce(deps, input.build, input.batch);
  try {
    const done = await work({ deps, input, meter });
    return { done, ackedSeq: await flushed, work: meter.report() };
  } catch (error) {
    if (context.cancellationSignal.aborted) recordLostCalls(deps, input, meter.report().calls);
    throw phaseFailure(error, context, meter);
  } finally {
    meter.stop();
  }
}

/** The workflow never hears of a cancelled attempt's calls, but they were paid for: they go to the mirror from here. */
function recordLostCalls(
  deps: ActivityDeps,
  { build, batch, phase }: PhaseInput,
  calls: PhaseOutput['work']['calls'],
): void {
  if (calls.length === 0) return;
  const { workflowId } = build.spec;
  deps.mirror
    .recordCalls({ workflowId, branch: batch.branch, phase, attempt: build.attempts[phase], calls })
    .catch((error: unknown) =>
      deps.log.warn({ workflowId, error: String(error) }, 'calls of a cancelled attempt were not recorded'),
    );
}

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
    const { passed, coverage } = report;
    return { passed, coverage, summary: passed ? 'all tests pass' : failureText(report), full };
  });
  return { measurement: done, ...rest };
}
