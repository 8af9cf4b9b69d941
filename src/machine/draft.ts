import {
  type Build,
  CONVERSATION_LIMIT,
  type Content,
  type Feedback,
  isCurrentResult,
  isExternal,
  type ModelCall,
  mayRunFiles,
  type ParkCode,
  type PhaseResult,
  type Position,
  phaseOf,
  type Rejected,
  stateOf,
  type Turn,
} from './build.ts';
import type { ModelResult, Work } from './commands.ts';
import type { AuditRow, EventType, Handoff, Trigger } from './events.ts';
import type { JsonObject } from './json.ts';
import { actingRole, type OpenState, PHASES, type Phase, phaseAt, phaseIndex, STATE_TABLE } from './states.ts';
import { tallyRow } from './tally.ts';

/** A build on its way to the next one: changed only inside one `applyCommand`, never seen outside. */
export type Draft = { -readonly [K in keyof Build]: Build[K] } & { rows: AuditRow[]; nowMs: number };

export const draftOf = (build: Build, nowMs: number): Draft => ({ ...build, rows: [], nowMs });

/** Takes the build out of a draft. */
export function finish(draft: Draft): { build: Build; rows: readonly AuditRow[] } {
  const { rows, nowMs: _nowMs, ...build } = draft;
  return { build, rows };
}

type RowExtras = Pick<AuditRow, 'handoff' | 'calls'>;

/** Adds one audit row and gives its sequence number. */
export function emit(draft: Draft, type: EventType, by: Trigger, data: JsonObject, extras: RowExtras = {}): number {
  draft.seq += 1;
  const row: AuditRow = { seq: draft.seq, atMs: draft.nowMs, type, by, data, ...extras };
  draft.rows.push(row);
  draft.tally = tallyRow(draft.tally, row);
  return draft.seq;
}

/** The orchestrator's own run of the tests is wanted where an external tester judges files that we may run. */
export function settleGate(draft: Draft): void {
  const open = draft.position.status === 'in_progress';
  const testing = open && phaseOf(draft.position) === 'testing' && isExternal(draft.spec, 'test_auditor');
  if (!testing || !mayRunFiles(draft)) draft.gate = { kind: 'none' };
  else if (draft.gate.kind === 'none') draft.gate = { kind: 'running' };
}

export function moveTo(draft: Draft, position: Position): void {
  draft.position = position;
  settleGate(draft);
}

/** Starts the next attempt of a phase. Only a forward entry makes the checkpoint that a rollback returns to. */
export function enterPhase(draft: Draft, phase: Phase, direction: 'forward' | 'back'): void {
  if (direction === 'forward') {
    const { turns, head, feedback } = draft;
    draft.checkpoints = { ...draft.checkpoints, [phase]: { turns, head, feedback } };
  } else {
    // A phase that is run again is measured again.
    draft.gate = { kind: 'none' };
  }
  const attempt = draft.attempts[phase] + 1;
  draft.attempts = { ...draft.attempts, [phase]: attempt };
  moveTo(draft, { status: 'in_progress', state: phase });
  const role = STATE_TABLE[phase].owner;
  const driver = isExternal(draft.spec, role) ? 'external' : 'llm';
  emit(draft, 'phase_started', role, { phase, attempt, role, driver });
}

/** The receiver acknowledges the handoff in which the build stands, and its phase begins. */
export function acknowledge(draft: Draft, state: OpenState, actor: JsonObject): void {
  const phase = phaseAt(state);
  emit(draft, 'handoff_acknowledged', actingRole(state), { from: state, to: phase, ...actor });
  enterPhase(draft, phase, 'forward');
}

export function addWork(draft: Draft, work: Work): void {
  draft.activeMs += work.activeMs;
  draft.tokens += work.calls.reduce((sum, call) => sum + call.promptTokens + call.completionTokens, 0);
}

export function addTurn(
  draft: Draft,
  phase: Phase,
  result: Pick<ModelResult, 'data' | 'full'>,
  aiResponse: Content | null,
): void {
  const { data, full } = result;
  const content = full ? ({ kind: 'artifact', ref: full } as const) : ({ kind: 'inline', value: data } as const);
  const said = aiResponse === null ? {} : { aiResponse };
  const [n, attempt, role] = [draft.turns, draft.attempts[phase], STATE_TABLE[phase].owner];
  const turn: Turn = { n, phase, attempt, role, content, ...said };
  draft.turns += 1;
  // Current results stay whatever their age: a rollback must find the conversation that led to its phase.
  const others = draft.conversation.filter((earlier) => !isCurrentResult(draft, earlier));
  const dropped = new Set(others.slice(0, Math.max(0, others.length + 1 - CONVERSATION_LIMIT)));
  const kept = draft.conversation.filter((earlier) => !dropped.has(earlier));
  draft.conversation = [...kept, turn];
}

/** The results of a phase and of all later ones, as a prompt is told of them. */
export const resultsFrom = (draft: Draft, from: Phase): Rejected[] =>
  PHASES.slice(phaseIndex(from)).flatMap((phase) => {
    const result = draft.results[phase];
    return result ? [{ phase, data: result.data, full: result.full }] : [];
  });

/** Removes a phase's result and all later ones from the current build, and gives what was removed. */
export function removeResults(draft: Draft, from: Phase): Rejected[] {
  const removed = resultsFrom(draft, from);
  const kept = PHASES.slice(0, phaseIndex(from)).flatMap((phase): [Phase, PhaseResult][] => {
    const result = draft.results[phase];
    return result ? [[phase, result]] : [];
  });
  draft.results = Object.fromEntries(kept);
  return removed;
}

/** What earlier reasons may weigh as JSON, because they travel with every phase; older ones stay in the audit. */
const FEEDBACK_LIMIT_CHARS = 12_000;

/** Adds a reason for the next attempts' prompts. Of the rejected results only the newest travel, of the reasons all that fit. */
export function addFeedback(draft: Draft, feedback: Feedback): void {
  let shown = feedback.rejected.length > 0;
  let left = FEEDBACK_LIMIT_CHARS;
  const fitting = draft.feedback.toReversed().flatMap((entry): Feedback[] => {
    const kept = shown ? { ...entry, rejected: [] } : entry;
    shown ||= entry.rejected.length > 0;
    left -= JSON.stringify({ ...kept, rejected: [] }).length;
    return left >= 0 ? [kept] : [];
  });
  draft.feedback = [...fitting.toReversed(), feedback];
}

type Ending = Readonly<{ code: ParkCode; reason: string; failedIn: OpenState; resumeAt: Phase }>;

/** Parks the build. `about` is what is known of the attempt that failed: its actor, or its model and what it cost. */
export function park(draft: Draft, ending: Ending, calls: readonly ModelCall[], about: JsonObject = {}): void {
  const { code, reason, failedIn, resumeAt } = ending;
  const by = STATE_TABLE[failedIn].owner;
  const from = stateOf(draft.position);
  moveTo(draft, { status: 'error', ...ending });
  const phase = phaseAt(failedIn);
  const attempt = draft.attempts[phase];
  const data = { from, to: 'error', phase, attempt, code, reason, retry_goes_to: resumeAt, ...about };
  emit(draft, 'parked', by, data, calls.length === 0 ? {} : { calls });
}

/** The record of work that one role passes to another, forward or back. */
export function handoffTo(from: OpenState, to: OpenState, data: JsonObject, notes: string | null): Handoff {
  const toRole = actingRole(to);
  return { fromRole: STATE_TABLE[from].owner, toRole, fromState: from, toState: to, data, notes };
}
