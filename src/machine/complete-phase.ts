import { type Content, type Head, isExternal, type ModelCall, type PhaseResult, shownData } from './build.ts';
import type { ModelResult } from './commands.ts';
import {
  acknowledge,
  addFeedback,
  addTurn,
  type Draft,
  emit,
  enterPhase,
  handoffTo,
  moveTo,
  park,
  removeResults,
  resultsFrom,
} from './draft.ts';
import type { Trigger } from './events.ts';
import type { JsonObject } from './json.ts';
import { commitFacts, noteFiles } from './side-work.ts';
import { actingRole, isHandoff, type OpenState, type Phase, STATE_TABLE } from './states.ts';
import type { Verdict } from './verdict.ts';

/** A checked result of the phase in which the build stands, and who gave it. */
export type Completion = Readonly<{
  phase: Phase;
  by: PhaseResult['by'];
  result: ModelResult;
  /** What an outside agent said beside it. */
  aiResponse?: Content | null | undefined;
  verdict: Verdict;
  calls: readonly ModelCall[];
  /** Goes into the event beside from, to and attempt: the actor, or the model and what it cost. */
  about: JsonObject;
}>;

/** What calls cost, in one line of the audit. */
export function costOf(calls: readonly ModelCall[]): JsonObject {
  if (calls.length === 0) return {};
  const sum = (pick: (call: ModelCall) => number): number => calls.reduce((total, call) => total + pick(call), 0);
  return {
    model: calls.at(-1)?.model ?? '',
    provider: calls.at(-1)?.provider ?? '',
    calls: calls.length,
    tokens: sum((call) => call.promptTokens + call.completionTokens),
    duration_ms: sum((call) => call.durationMs),
  };
}

function usedBy(calls: readonly ModelCall[]): Pick<PhaseResult, 'used'> {
  const { model, tokens } = costOf(calls);
  return typeof model === 'string' && typeof tokens === 'number' ? { used: { model, tokens } } : {};
}

/** Applies a phase's result: forward, back to the coder, or parked. Gives the sequence number of its event. */
export function completePhase(draft: Draft, completion: Completion): number {
  const { phase, result, verdict } = completion;
  draft.head = headAfter(draft.head, result);
  addTurn(draft, phase, result, completion.aiResponse ?? null);
  if (completion.by === 'external') noteFiles(draft, phase, result.data);
  switch (verdict.kind) {
    case 'pass':
      return goForward(draft, completion);
    case 'reject':
      return sendBack(draft, completion, verdict.reason);
    case 'release_failed':
      park(
        draft,
        { code: 'release_failed', reason: verdict.reason, failedIn: phase, resumeAt: phase },
        completion.calls,
        { ...commitFacts(result.commit), ...completion.about },
      );
      return draft.seq;
  }
}

/** Files that others than the simulated model wrote stay in the tree whoever writes next, so the new head inherits them. */
function headAfter(head: Head | null, { commit, runnable }: ModelResult): Head | null {
  return commit === null ? head : { ...commit, runnable: runnable && (head === null || head.runnable) };
}

/** What the audit line itself says of a result; the rest is in the handoff or behind its reference. */
const pickTexts = (data: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(names.flatMap((name) => (typeof data[name] === 'string' ? [[name, data[name]]] : [])));

const factsOf = (draft: Draft, { phase, result, about }: Completion, to: string): JsonObject => ({
  from: phase,
  to,
  phase,
  attempt: draft.attempts[phase],
  ...commitFacts(result.commit),
  ...pickTexts(result.data, ['summary', 'version', 'release_path']),
  ...about,
});

function goForward(draft: Draft, completion: Completion): number {
  const { phase, by, result, calls } = completion;
  const role = STATE_TABLE[phase].owner;
  const next = STATE_TABLE[phase].forward;
  const handoff = next === 'complete' ? {} : { handoff: handoffTo(phase, next, shownData(result), null) };
  const seq = emit(draft, 'phase_completed', role, factsOf(draft, completion, next), { ...handoff, calls });
  const { data, full, commit } = result;
  const kept = { data, full, commit, seq, by, attempt: draft.attempts[phase], ...usedBy(calls) };
  draft.results = { ...draft.results, [phase]: kept };
  draft.feedback = draft.feedback.filter((entry) => entry.until !== phase);
  if (next === 'complete') {
    moveTo(draft, { status: 'complete', endedAtMs: draft.nowMs });
    emit(draft, 'completed', role, { from: phase, to: 'complete' });
  } else {
    arrive(draft, next);
  }
  return seq;
}

/** A model acknowledges its handoff itself, at once; an external receiver is waited for. */
function arrive(draft: Draft, next: OpenState): void {
  if (!isHandoff(next)) {
    enterPhase(draft, next, 'forward');
    return;
  }
  moveTo(draft, { status: 'in_progress', state: next });
  if (!isExternal(draft.spec, actingRole(next))) acknowledge(draft, next, {});
}

function sendBack(draft: Draft, completion: Completion, reason: string): number {
  const { phase, result, calls } = completion;
  const target = STATE_TABLE[phase].rejectsTo ?? 'implementation';
  const by: Trigger = STATE_TABLE[phase].owner;
  const attempt = draft.attempts[phase];
  const count = (draft.sendBacks[phase] ?? 0) + 1;
  draft.sendBacks = { ...draft.sendBacks, [phase]: count };
  const rejected = [...resultsFrom(draft, target), { phase, data: result.data, full: result.full }];
  addFeedback(draft, { kind: 'sent_back', from: phase, to: target, until: phase, attempt, reason, rejected });
  if (count > draft.spec.maxSendBacks) {
    // Nothing goes back yet: the results stay, so that a rollback to the rejecting phase finds what it judges.
    const told = `${phase} rejected the work ${count} times (WORKFLOW_MAX_RETRIES ${draft.spec.maxSendBacks}); last: ${reason}`;
    const ending = { code: 'send_back_limit', reason: told, failedIn: phase, resumeAt: target } as const;
    park(draft, ending, calls, { ...commitFacts(result.commit), ...completion.about, send_back: count });
    return draft.seq;
  }
  removeResults(draft, target);
  const data = { ...factsOf(draft, completion, target), reason, send_back: count };
  const seq = emit(draft, 'sent_back', by, data, {
    handoff: handoffTo(phase, target, shownData(result), reason),
    calls,
  });
  enterPhase(draft, target, 'back');
  return seq;
}
