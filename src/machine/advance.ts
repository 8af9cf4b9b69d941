import { type Build, isExternal, type Measurement, mayRunFiles } from './build.ts';
import type { AdvanceCommand, Refused } from './commands.ts';
import { completePhase } from './complete-phase.ts';
import { acknowledge, type Draft, emit } from './draft.ts';
import type { JsonObject } from './json.ts';
import { heldUpBy } from './next-work.ts';
import { checkPhaseResult } from './payloads.ts';
import { refuse } from './refuse.ts';
import {
  actingRole,
  isHandoff,
  isPhase,
  type OpenState,
  type Phase,
  phaseAt,
  STATE_TABLE,
  type State,
} from './states.ts';
import { askedReject, judge, type Verdict } from './verdict.ts';

/** What an advance would do, once it is found allowed. */
export type AdvancePlan = Readonly<
  | { kind: 'acknowledge'; state: OpenState }
  | { kind: 'complete'; state: OpenState; phase: Phase; data: JsonObject; verdict: Verdict }
>;

/** A person's claim never passes a gate that was measured (design 5.10). */
function withMeasurement(data: JsonObject, measurement: Measurement | null): JsonObject {
  if (measurement === null) return { ...data, measured: false };
  const { passed, coverage, summary, full } = measurement;
  const claim = data.all_tests_passed === true;
  const failures = passed ? {} : { failures: summary };
  const measured = { test_coverage: coverage, measured: true, test_report: full?.sha256 ?? null };
  return { ...data, all_tests_passed: claim && passed, ...measured, ...failures };
}

/** The contract's order of checks: state, role, then the phase's result, then next_state. */
export function planAdvance(build: Build, command: AdvanceCommand): AdvancePlan | Refused {
  const { position } = build;
  if (position.status !== 'in_progress') {
    return refuse(build, 'wrong_state', `advance is refused in state error; use retry, rollback or abort`);
  }
  const state = position.state;
  const { completedState, role } = command;
  const completesReceiver = isHandoff(state) && completedState === phaseAt(state);
  if (completedState !== state && !completesReceiver) {
    return refuse(build, 'wrong_state', `completed_state is ${completedState}, but the build is in ${state}`);
  }
  if (role !== actingRole(state)) {
    return refuse(build, 'wrong_role', `role is ${role}, but in ${state} only ${actingRole(state)} may advance`);
  }
  const heldUp = heldUpBy(build);
  if (heldUp !== null) return refuse(build, 'gate_running', `${heldUp}; repeat the call in a few seconds`);
  if (!isPhase(completedState)) {
    const next = STATE_TABLE[completedState].forward;
    return nextStateFault(build, command.nextState, next) ?? { kind: 'acknowledge', state };
  }
  return planCompletion(build, command, state, completedState);
}

/**
 * Whether testing cannot be completed by anybody's word now: the orchestrator runs the tests itself. A model-driven tester
 * measures inside its own activity, so its gate is open only when that activity has ended.
 */
export const isMeasuring = (build: Build): boolean =>
  mayRunFiles(build) && (build.gate.kind === 'running' || !isExternal(build.spec, 'test_auditor'));

function planCompletion(build: Build, command: AdvanceCommand, state: OpenState, phase: Phase): AdvancePlan | Refused {
  if (phase === 'testing' && isMeasuring(build)) {
    return refuse(
      build,
      'gate_running',
      'the orchestrator is still running the tests; repeat the call in a few seconds',
    );
  }
  const checked = checkPhaseResult(phase, command.phaseResult, 'external');
  if (!checked.ok) {
    const told = checked.faults.map(({ at, fault }) => `${at || 'phase_result'} ${fault}`).join('; ');
    return refuse(build, 'invalid_phase_result', `phase_result does not fit ${phase}: ${told}`, checked.faults);
  }
  const measurement = build.gate.kind === 'measured' ? build.gate.measurement : null;
  const data = phase === 'testing' ? withMeasurement(checked.value, measurement) : checked.value;
  const judged = judge(build, phase, data);
  const asksBack = command.nextState === 'implementation' && STATE_TABLE[phase].rejectsTo === 'implementation';
  const verdict = judged.kind === 'pass' && asksBack ? askedReject(data) : judged;
  const chosen = stateAfter(build, phase, verdict);
  // A reject over the limit parks, but whoever asks for implementation asks for the right thing.
  const fits = verdict.kind === 'reject' && asksBack;
  return (
    nextStateFault(build, fits ? chosen : command.nextState, chosen) ?? {
      kind: 'complete',
      state,
      phase,
      data,
      verdict,
    }
  );
}

function stateAfter(build: Build, phase: Phase, verdict: Verdict): State {
  if (verdict.kind === 'pass') return STATE_TABLE[phase].forward;
  if (verdict.kind === 'release_failed') return 'error';
  const over = (build.sendBacks[phase] ?? 0) + 1 > build.spec.maxSendBacks;
  return over ? 'error' : (STATE_TABLE[phase].rejectsTo ?? 'implementation');
}

function nextStateFault(build: Build, given: State | null, chosen: State): Refused | null {
  if (given === null || given === chosen) return null;
  return refuse(build, 'unexpected_next_state', `next_state is ${given}, but this result leads to ${chosen}`);
}

/** Carries out a plan. Gives the phase and event of the result that was handed on, if one was. */
export function applyAdvance(
  draft: Draft,
  plan: AdvancePlan,
  command: AdvanceCommand,
): { phase: Phase; seq: number } | null {
  const actor = { actor: command.actor };
  if (plan.kind === 'acknowledge') {
    acknowledge(draft, plan.state, actor);
    return null;
  }
  const { phase, state, data, verdict } = plan;
  if (isHandoff(state)) acknowledge(draft, state, actor);
  else if (!isExternal(draft.spec, actingRole(state))) {
    emit(draft, 'preempted', 'operator', { phase, attempt: draft.attempts[phase], role: actingRole(state), ...actor });
  }
  const result = { data, full: command.artifact, commit: null, runnable: false };
  const { aiResponse } = command;
  const seq = completePhase(draft, { phase, by: 'external', result, aiResponse, verdict, calls: [], about: actor });
  return { phase, seq };
}
