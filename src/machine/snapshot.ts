import { type Build, type Content, isCurrentResult, type PhaseResult, type Turn } from './build.ts';
import { PHASES, type Phase } from './states.ts';

/** A turn whose content is the phase's current result travels without it. */
export type SnapshotTurn = Omit<Turn, 'content'> & Readonly<{ content: Content | 'result' }>;

/**
 * What travels to activities: all that prompts and the mirror need of a build, and no more, because it stands in the
 * history once for every phase.
 */
export type BuildSnapshot = Readonly<
  Pick<
    Build,
    | 'spec'
    | 'position'
    | 'attempts'
    | 'results'
    | 'feedback'
    | 'head'
    | 'base'
    | 'pending'
    | 'activeMs'
    | 'tokens'
    | 'epoch'
    | 'seq'
    | 'tally'
    | 'createdAtMs'
    | 'updatedAtMs'
  > & { conversation: readonly SnapshotTurn[] }
>;

export function snapshotOf(build: Build): BuildSnapshot {
  const { operations: _o, checkpoints: _c, sendBacks: _s, gate: _g, turns: _t, conversation, ...rest } = build;
  const { toUndo: _u, undoStuck: _stuck, ...shown } = rest;
  return {
    ...shown,
    conversation: conversation.map((turn) => (isCurrentResult(build, turn) ? { ...turn, content: 'result' } : turn)),
  };
}

/** The content of a result: whole, or by reference. */
export const contentOf = ({ data, full }: Pick<PhaseResult, 'data' | 'full'>): Content =>
  full ? { kind: 'artifact', ref: full } : { kind: 'inline', value: data };

/** The conversation with every turn's content in place again. */
export function conversationOf(snapshot: BuildSnapshot): Turn[] {
  return snapshot.conversation.flatMap((turn): Turn[] => {
    if (turn.content !== 'result') return [{ ...turn, content: turn.content }];
    const result = snapshot.results[turn.phase];
    return result ? [{ ...turn, content: contentOf(result) }] : [];
  });
}

/**
 * A build that the machine can go on with, where only a snapshot is left of it. What a snapshot leaves out is empty:
 * operations, checkpoints, counted send-backs, and a measurement.
 */
export function restoredBuild(snapshot: BuildSnapshot): Build {
  const conversation = conversationOf(snapshot);
  const turns = 1 + Math.max(-1, ...conversation.map(({ n }) => n));
  const left = { operations: [], checkpoints: {}, sendBacks: {}, gate: { kind: 'none' } } as const;
  return { ...snapshot, ...left, conversation, turns };
}

/** Phases before the given one whose result is in the build, in order. */
export function earlierResults(snapshot: BuildSnapshot, phase: Phase): { phase: Phase; content: Content }[] {
  return PHASES.slice(0, PHASES.indexOf(phase)).flatMap((earlier) => {
    const result = snapshot.results[earlier];
    return result ? [{ phase: earlier, content: contentOf(result) }] : [];
  });
}
