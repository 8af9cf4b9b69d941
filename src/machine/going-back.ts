import { type Feedback, type Position, type Rejected, shownData } from './build.ts';
import type { AbortCommand, RetryCommand, RollbackCommand } from './commands.ts';
import { addFeedback, type Draft, emit, enterPhase, handoffTo, moveTo, removeResults } from './draft.ts';
import { isPhase, type OpenState, type Phase, phaseAt, phaseIndex, STATE_TABLE, type State } from './states.ts';

/** Where retry leads from here; null where nothing stands before (discovery). */
export function retryTarget(position: Position): Phase | null {
  if (position.status === 'error') return position.resumeAt;
  return position.status === 'in_progress' ? STATE_TABLE[position.state].before : null;
}

/** The open state that a build stands in or failed in. */
export function placeOf(position: Position): OpenState | null {
  if (position.status === 'in_progress') return position.state;
  return position.status === 'error' ? position.failedIn : null;
}

/** The phases a rollback may name here: all that were reached and are not later than the current one. */
export function rollbackTargets(position: Position): Phase[] {
  const place = placeOf(position);
  if (place === null) return [];
  const last = lastWorked(place);
  const all = Object.keys(STATE_TABLE) as (keyof typeof STATE_TABLE)[];
  return all.filter(isPhase).filter((phase) => phaseIndex(phase) <= phaseIndex(last));
}

/** An operator's way out of trouble starts the counting anew: send-backs and active time. */
function resetCounters(draft: Draft): void {
  draft.sendBacks = {};
  draft.activeMs = 0;
}

function resumeIfParked(draft: Draft, wasParked: boolean, to: Phase, actor: string): void {
  if (wasParked) emit(draft, 'resumed', 'operator', { from: 'error', to, actor });
}

/** The phase whose work a retry sends back: in a handoff state the one that was completed. */
const lastWorked = (place: OpenState): Phase => (isPhase(place) ? place : STATE_TABLE[place].before);

/** What the next attempt is shown as rejected: after too many rejects also the last rejecting result, which is in no build. */
function rejectedBy({ position, feedback }: Draft, removed: readonly Rejected[]): readonly Rejected[] {
  const last = feedback.at(-1);
  return position.status === 'error' && position.code === 'send_back_limit' && last ? last.rejected : removed;
}

export function applyRetry(draft: Draft, command: RetryCommand, target: Phase): void {
  const place = placeOf(draft.position) ?? target;
  const wasParked = draft.position.status === 'error';
  const from: State = wasParked ? 'error' : place;
  const { reason, actor } = command;
  const rejected = rejectedBy(draft, removeResults(draft, target));
  const attempt = draft.attempts[lastWorked(place)];
  const feedback: Feedback = {
    kind: 'retry',
    from: place,
    to: target,
    until: phaseAt(place),
    attempt,
    reason,
    rejected,
  };
  addFeedback(draft, feedback);
  resetCounters(draft);
  const changesRole = STATE_TABLE[place].owner !== STATE_TABLE[target].owner;
  const last = rejected.at(-1);
  const data = last ? shownData(last) : {};
  const extras = changesRole ? { handoff: { ...handoffTo(place, target, data, reason), fromState: from } } : {};
  emit(draft, 'retry_requested', 'operator', { from, to: target, actor, reason }, extras);
  resumeIfParked(draft, wasParked, target, actor);
  // Parked in a handoff state, the receiver's phase begins for the first time since the phase before it completed.
  enterPhase(draft, target, wasParked && !isPhase(place) && target === phaseAt(place) ? 'forward' : 'back');
}

export function applyRollback(draft: Draft, command: RollbackCommand): void {
  const { targetState: target, reason, actor } = command;
  const wasParked = draft.position.status === 'error';
  const from = wasParked ? 'error' : (placeOf(draft.position) ?? target);
  const attempt = draft.attempts[target];
  const before = draft.checkpoints[target] ?? { turns: 0, head: null, feedback: [] };
  removeResults(draft, target);
  draft.conversation = draft.conversation.filter((turn) => turn.n < before.turns);
  draft.turns = before.turns;
  draft.head = before.head;
  // Files that the phase handed on before this one are part of what is restored; later ones go with their turn.
  if (draft.pending && draft.pending.n >= before.turns) draft.pending = null;
  draft.feedback = before.feedback;
  addFeedback(draft, { kind: 'rollback', from: target, to: target, until: target, attempt, reason, rejected: [] });
  resetCounters(draft);
  const [commit, tree] = [before.head?.commit ?? null, before.head?.tree ?? null];
  emit(draft, 'rolled_back', 'operator', { from, to: target, actor, reason, commit, tree });
  resumeIfParked(draft, wasParked, target, actor);
  enterPhase(draft, target, 'back');
}

export function applyAbort(draft: Draft, command: AbortCommand, state: string): void {
  const { position } = draft;
  if (position.status === 'complete' || position.status === 'cancelled') return;
  const { reason, actor } = command;
  if (draft.pending) draft.pending = null;
  moveTo(draft, { status: 'cancelled', endedAtMs: draft.nowMs, reason, was: position });
  emit(draft, 'aborted', 'operator', { from: state, to: state, actor, reason });
}
