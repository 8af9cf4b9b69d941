import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import type { PhaseInput } from '../activities/contract.ts';
import { startBuild } from '../machine/apply.ts';
import { type Build, isOver, stateOf } from '../machine/build.ts';
import { nextWork, takesReleasesBack } from '../machine/next-work.ts';
import { snapshotOf } from '../machine/snapshot.ts';
import { isBuildSpec } from '../machine/spec-check.ts';
import type { Phase } from '../machine/states.ts';
import { attempt, DEADLINE_SLACK_MS } from './attempt.ts';
import { flushSummary, phaseSummary } from './details.ts';
import { registerHandlers } from './handlers.ts';
import type { BuildInput } from './messages.ts';
import { flush, flushLocally, measure, phase } from './proxies.ts';
import { apply, confirm, nextBatch, type Session, show } from './session.ts';
import { noteReset, payOff, runCommit, runSource, runUndo, tellOfRelease } from './side-work.ts';

/** What a finished run answers; the audit and the artifact store have the rest. */
export type BuildSummary = Readonly<{ build_id: string; status: string; attempts: Build['attempts']; tokens: number }>;

/** Rejected signals wait this long for more of their kind before they are written, so that a flood costs few events. */
const JUNK_DELAY_MS = 10_000;
const JUNK_LIMIT_ROWS = 20;

/** One build, from requirements to release: the machine decides, this shell only does what it says. */
export async function build(input: BuildInput): Promise<BuildSummary> {
  const session = openSession(input);
  const root = CancellationScope.current();
  registerHandlers(session);
  show(session);
  try {
    while (!isOver(session.build.position)) {
      if (mayContinue(session)) await carryOn(session);
      await step(session);
    }
  } catch (error) {
    if (!isCancellation(error) || !root.consideredCancelled) throw error;
    apply(session, { type: 'abort', actor: 'temporal', reason: 'cancelled from Temporal', opId: null });
    await CancellationScope.nonCancellable(() => settle(session));
    throw error;
  }
  // The run closes only when nothing is owed and the mirror has every row, however long that takes.
  await CancellationScope.nonCancellable(() => settle(session));
  const { spec, position, attempts, tokens } = session.build;
  return { build_id: spec.buildId, status: position.status, attempts, tokens };
}

/** @throws ApplicationFailure when the run was started by hand with an input that is no build's, or another build's */
function openSession(input: BuildInput): Session {
  const info = workflowInfo();
  if (!isBuildSpec(input?.spec) || input.spec.workflowId !== info.workflowId) {
    throw ApplicationFailure.nonRetryable(
      'this input belongs to no build of this workflow id; start builds with POST /api/workflows/{project_id}/start',
      'invalid_body',
    );
  }
  // Constant over continue-as-new, new after a reset: the key under which the mirror keeps this run's rows.
  const wasReset = info.runId !== info.originalExecutionRunId;
  const branch = wasReset ? info.runId : (input.carried?.branch ?? info.runId);
  const started = input.carried ? null : startBuild(input.spec, Date.now());
  const opened = started?.build ?? input.carried?.build;
  if (!opened) throw ApplicationFailure.nonRetryable('the carried build is missing', 'invalid_body');
  const outbox = [...(started?.rows ?? input.carried?.outbox ?? [])];
  const needsOperator = opened.position.status === 'error';
  const { indexPauseMs = 0 } = input;
  const lags = started === null && indexPauseMs > 0;
  return {
    build: opened,
    outbox,
    recent: [...outbox],
    flushedSeq: opened.seq - outbox.length,
    branch,
    scope: null,
    endedByModel: false,
    owesReset: wasReset && takesReleasesBack(opened),
    // The client sets the search attributes of a start. A continued run keeps those of the run before, which may lag.
    shown: { state: lags ? null : stateOf(opened.position), needsOperator, atMs: started ? Date.now() : 0 },
    indexPauseMs,
  };
}

/**
 * Does the one thing that the build asks for. What is called from here is async only where it must be: the SDK notes a stack
 * trace for each promise.
 */
function step(session: Session): Promise<void> {
  noteReset(session);
  const work = nextWork(session.build);
  switch (work.kind) {
    case 'open_source':
      return runSource(session);
    case 'commit_files':
      return runCommit(session, work.pending);
    case 'undo_release':
      return runUndo(session, work.attempts);
    case 'measure':
      return runMeasurement(session);
    case 'phase':
      return runPhase(session, work.phase);
    case 'wait':
    case 'end':
      return waitForCommand(session);
  }
}

function runPhase(session: Session, current: Phase): Promise<void> {
  const { epoch } = session.build;
  return attempt(session, async (given) => {
    const input: PhaseInput = { ...given, phase: current };
    const number = session.build.attempts[current];
    const options = {
      summary: phaseSummary(session.build, current),
      startToCloseTimeout: input.remainingMs + DEADLINE_SLACK_MS,
    };
    const { ackedSeq, result, work } = await phase.executeWithOptions(options, [input]);
    // Nothing is left to cancel: cancelling a scope that has ended would still cost a failure with its stack trace.
    session.scope = null;
    confirm(session, ackedSeq);
    if (session.build.epoch === epoch) {
      apply(session, { type: 'complete_phase', result, work });
      session.endedByModel = isOver(session.build.position);
    } else apply(session, { type: 'record_late_result', phase: current, attempt: number });
  });
}

function runMeasurement(session: Session): Promise<void> {
  const { epoch } = session.build;
  return attempt(session, async (given) => {
    const input: PhaseInput = { ...given, phase: 'testing' };
    const options = {
      summary: `tests of attempt ${session.build.attempts.implementation}, run for an external tester`,
      startToCloseTimeout: input.remainingMs + DEADLINE_SLACK_MS,
    };
    const { ackedSeq, measurement, work } = await measure.executeWithOptions(options, [input]);
    session.scope = null;
    confirm(session, ackedSeq);
    if (session.build.epoch === epoch) apply(session, { type: 'measured', measurement, work });
  });
}

/** What a build owes when it is over, its last rows, and the word of its release to whoever wants it. */
async function settle(session: Session): Promise<void> {
  await payOff(session);
  await writeAll(session);
  // After a reset the runs before it are looked at only now, where the part that is replayed ended with the rows.
  while (noteReset(session) || session.outbox.length > 0) {
    await payOff(session);
    await writeAll(session);
  }
  if (session.build.spec.announces !== true || session.build.position.status !== 'complete') return;
  await tellOfRelease(session);
  await writeAll(session);
}

const isFew = (session: Session): boolean =>
  session.outbox.length < JUNK_LIMIT_ROWS && session.outbox.every(({ type }) => type === 'signal_rejected');

/** A person, an outside agent or an operator is waited for; until then the mirror gets what it lacks. */
async function waitForCommand(session: Session): Promise<void> {
  const { epoch } = session.build;
  const commanded = (): boolean => session.build.epoch !== epoch;
  await condition(() => commanded() || session.outbox.length > 0);
  if (commanded()) return;
  // Conditions are looked at after every message, so they must be cheap: a flood is thousands of them.
  if (isFew(session)) {
    await condition(() => commanded() || !isFew(session), JUNK_DELAY_MS);
    if (commanded()) return;
  }
  const scope = new CancellationScope();
  session.scope = scope;
  try {
    await scope.run(() => writeBatch(session));
  } catch (error) {
    if (!commanded()) throw error;
  } finally {
    session.scope = null;
  }
}

/** One batch to the mirror, patiently: an activity of its own, whose tries go on until it is written. */
async function writeBatch(session: Session): Promise<void> {
  const input = { build: snapshotOf(session.build), batch: nextBatch(session) };
  const options = { summary: flushSummary(session.build) };
  confirm(session, await flush.executeWithOptions(options, [{ ...input, patience: 'until_written' }]));
}

/**
 * The last rows. When a model's result ended the build, one quick try is made inside the workflow task: one event instead
 * of six. Never in the wake of a message: the run would close in the workflow task that carries the message's reply, and
 * any event that comes meanwhile would fail that task and the reply with it.
 */
async function writeAll(session: Session): Promise<void> {
  if (session.endedByModel) {
    const input = { build: snapshotOf(session.build), batch: nextBatch(session) };
    confirm(session, await flushLocally({ ...input, patience: 'one_try' }).catch(() => 0));
  }
  while (session.outbox.length > 0) await writeBatch(session);
}

/** What the mirror still lacks travels along, so it must be little; a longer outbox is written first. */
const mayContinue = (session: Session): boolean =>
  workflowInfo().continueAsNewSuggested && nextBatch(session).rows.length === session.outbox.length;

/**
 * Continues as new when the server suggests it. Never in the wake of a message: its reply could share the workflow task
 * with the continuation and be lost or applied twice. So an activity's result comes first, and no await after it but the
 * handlers' end.
 */
async function carryOn(session: Session): Promise<void> {
  const input = { build: snapshotOf(session.build), batch: nextBatch(session) };
  confirm(session, await flush({ ...input, patience: 'one_try' }));
  await condition(allHandlersFinished);
  const { build: carriedBuild, outbox, branch, indexPauseMs } = session;
  await continueAsNew<(input: BuildInput) => Promise<BuildSummary>>({
    spec: carriedBuild.spec,
    carried: { build: carriedBuild, outbox, branch },
    ...(indexPauseMs > 0 ? { indexPauseMs } : {}),
  });
}
