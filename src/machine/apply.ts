import { applyAdvance, planAdvance } from './advance.ts';
import {
  type Build,
  type BuildSpec,
  completedPhases,
  isExternal,
  isOver,
  OPERATION_LIMIT,
  type Outcome,
  type Position,
  phaseOf,
  stateOf,
} from './build.ts';
import type { Applied, Command, OperatorCommand, Refused, WorkCommand } from './commands.ts';
import { completePhase, costOf } from './complete-phase.ts';
import { addWork, type Draft, draftOf, emit, enterPhase, finish, park } from './draft.ts';
import { fingerprint } from './fingerprint.ts';
import { applyAbort, applyRetry, applyRollback, placeOf, retryTarget, rollbackTargets } from './going-back.ts';
import { storableText } from './json.ts';
import { refuse } from './refuse.ts';
import { applySideWork, noteRelease, SIDE_COMMANDS, type SideCommand } from './side-work.ts';
import { actingRole, PHASES, type Phase } from './states.ts';
import { EMPTY_TALLY } from './tally.ts';
import { judge } from './verdict.ts';

/** Reasons that others word, in the audit. */
const REASON_LIMIT_CHARS = 1000;

/** Makes a build and its first rows: the build starts and discovery begins. */
export function startBuild(spec: BuildSpec, nowMs: number): Pick<Applied, 'build' | 'rows'> {
  const draft = draftOf(
    {
      spec,
      position: { status: 'in_progress', state: 'discovery' },
      attempts: Object.fromEntries(PHASES.map((phase) => [phase, 0])) as Record<Phase, number>,
      results: {},
      conversation: [],
      turns: 0,
      feedback: [],
      checkpoints: {},
      sendBacks: {},
      head: null,
      gate: { kind: 'none' },
      activeMs: 0,
      tokens: 0,
      epoch: 1,
      seq: 0,
      tally: EMPTY_TALLY,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      operations: [],
    },
    nowMs,
  );
  emit(draft, 'build_started', 'system', {
    build_id: spec.buildId,
    project_id: spec.projectId,
    simulated: spec.simulated,
  });
  enterPhase(draft, 'discovery', 'forward');
  return finish(draft);
}

/**
 * The machine's one function: pure, so that it can be run dry as an Update's validator.
 * @param nowMs the time of the command, in milliseconds since 1970
 * @returns the next build with its audit rows, or why the command was refused; a refused command changes nothing
 */
export function applyCommand(build: Build, command: Command, nowMs: number): Applied | Refused {
  switch (command.type) {
    case 'advance':
    case 'retry':
    case 'rollback':
    case 'abort':
      return applyOperatorCommand(build, command, nowMs);
    default:
      return applyWorkCommand(build, command, nowMs);
  }
}

/** What a command asks for; who asks, and under which id, is not part of it. */
const contentOf = ({ opId: _id, actor: _actor, opContent, ...content }: OperatorCommand): string =>
  opContent ?? fingerprint(content);

function applyOperatorCommand(build: Build, command: OperatorCommand, nowMs: number): Applied | Refused {
  const known = command.opId === null ? undefined : build.operations.find(({ id }) => id === command.opId);
  if (known) {
    return known.content === contentOf(command)
      ? { ok: true, build, rows: [], outcome: known.outcome }
      : refuse(build, 'idempotency_key_reused', 'this operation id was used for another command before; use a new one');
  }
  const { position } = build;
  if (isOver(position)) {
    return refuse(build, 'build_over', `the build is ${position.status}; ${command.type} is refused after the end`);
  }
  const state = stateOf(position);
  const expected = command.expectedState ?? state;
  if (expected !== state) {
    return refuse(build, 'wrong_state', `expected_state is ${expected}, but the build is in ${state}`);
  }
  return carryOut(build, command, nowMs);
}

function carryOut(build: Build, command: OperatorCommand, nowMs: number): Applied | Refused {
  const draft = draftOf(build, nowMs);
  switch (command.type) {
    case 'advance': {
      const plan = planAdvance(build, command);
      if ('ok' in plan) return plan;
      const handedOn = applyAdvance(draft, plan, command);
      return conclude(build, draft, command, handedOn);
    }
    case 'retry': {
      const target = retryTarget(build.position);
      if (target === null) {
        return refuse(build, 'nothing_before', 'retry is refused in discovery: nothing stands before it; use rollback');
      }
      applyRetry(draft, command, target);
      break;
    }
    case 'rollback': {
      if (!rollbackTargets(build.position).includes(command.targetState)) {
        return refuse(build, 'not_reached', `target_state ${command.targetState} is later than the current phase`);
      }
      applyRollback(draft, command);
      break;
    }
    case 'abort':
      applyAbort(draft, command, stateOf(build.position));
      break;
  }
  return conclude(build, draft, command, null);
}

/** The state that the command itself led to: before any automatic acknowledgement that followed. */
function commandedState(draft: Draft): Outcome['newState'] {
  const first = draft.rows.find(({ type }) => type === 'phase_completed' || type === 'sent_back');
  const to = first?.data.to;
  return (typeof to === 'string' ? to : stateOf(draft.position)) as Outcome['newState'];
}

/** What took effect makes work in flight late and is seen in updated_at; what was only recorded does neither. */
function takeEffect(before: Build, draft: Draft): void {
  noteRelease(before, draft);
  draft.epoch += 1;
  draft.updatedAtMs = draft.nowMs;
}

function conclude(before: Build, draft: Draft, command: OperatorCommand, handedOn: Outcome['handedOn']): Applied {
  takeEffect(before, draft);
  // What could not be taken back is tried again: who commands may have mended it.
  if (draft.undoStuck) draft.undoStuck = false;
  const { status }: Position = draft.position;
  const previousState = stateOf(before.position);
  const [newState, completed] = [commandedState(draft), completedPhases(draft).length];
  const outcome: Outcome = { previousState, newState, status, completed, atMs: draft.nowMs, handedOn };
  if (command.opId !== null) {
    const operation = { id: command.opId, content: contentOf(command), outcome };
    draft.operations = [...draft.operations, operation].slice(-OPERATION_LIMIT);
  }
  return { ok: true, ...finish(draft), outcome };
}

function applyWorkCommand(build: Build, command: WorkCommand, nowMs: number): Applied | Refused {
  const draft = draftOf(build, nowMs);
  const refusal = recordOrWork(build, draft, command);
  if (refusal) return refusal;
  const { status }: Position = draft.position;
  const [previousState, newState, completed] = [
    stateOf(build.position),
    commandedState(draft),
    completedPhases(draft).length,
  ];
  const outcome: Outcome = { previousState, newState, status, completed, atMs: nowMs, handedOn: null };
  return { ok: true, ...finish(draft), outcome };
}

function recordOrWork(build: Build, draft: Draft, command: WorkCommand): Refused | null {
  if (command.type === 'reject_signal') {
    const { code } = command;
    const [signal, reason] = [storableText(command.signal, 100), storableText(command.reason, REASON_LIMIT_CHARS)];
    emit(draft, 'signal_rejected', 'operator', { signal, code, reason, actor: 'operator' });
    return null;
  }
  if (command.type === 'record_late_result') {
    emit(draft, 'late_result', 'system', { phase: command.phase, attempt: command.attempt });
    return null;
  }
  if (isSideWork(command)) {
    const fault = applySideWork(build, draft, command);
    if (fault !== null) return refuse(build, 'wrong_state', fault);
    takeEffect(build, draft);
    return null;
  }
  if (isOver(build.position)) {
    return refuse(
      build,
      'build_over',
      `the build is ${build.position.status}; ${command.type} is refused after the end`,
    );
  }
  if (build.position.status !== 'in_progress') {
    return refuse(build, 'wrong_state', `${command.type} needs a build that is worked on`);
  }
  addWork(draft, command.work);
  const problem = applyWork(build, draft, command);
  takeEffect(build, draft);
  return problem;
}

const isSideWork = (command: WorkCommand): command is SideCommand =>
  SIDE_COMMANDS.some((type) => type === command.type);

function applyWork(
  build: Build,
  draft: Draft,
  command: Exclude<WorkCommand, SideCommand | { type: 'reject_signal' | 'record_late_result' }>,
): Refused | null {
  const failedIn = placeOf(build.position) ?? 'discovery';
  const phase = phaseOf(build.position) ?? 'discovery';
  switch (command.type) {
    case 'complete_phase': {
      if (failedIn !== phase) return refuse(build, 'wrong_state', `no phase runs in ${failedIn}`);
      // What people drive, they advance: a model's word must not pass the gate that is measured for them.
      if (isExternal(build.spec, actingRole(phase))) {
        return refuse(build, 'wrong_role', `${phase} is driven from outside; only advance completes it`);
      }
      const { result, work } = command;
      const verdict = judge(build, phase, result.data);
      completePhase(draft, { phase, by: 'llm', result, verdict, calls: work.calls, about: costOf(work.calls) });
      return null;
    }
    case 'measured':
      if (draft.gate.kind !== 'running') return refuse(build, 'wrong_state', 'no tests are being run for a gate');
      draft.gate = { kind: 'measured', measurement: command.measurement };
      return null;
    case 'fail': {
      // Providers and tools say what they like: their words are bounded here, once.
      const reason = storableText(command.reason, REASON_LIMIT_CHARS);
      park(draft, { code: command.code, reason, failedIn, resumeAt: phase }, command.work.calls);
      return null;
    }
    case 'time_out': {
      const reason = `the active time of ${Math.round(build.spec.activeTimeoutMs / 1000)} s is used up (WORKFLOW_TIMEOUT); retry gives it anew`;
      park(draft, { code: 'workflow_timeout', reason, failedIn, resumeAt: phase }, command.work.calls);
      return null;
    }
  }
}
