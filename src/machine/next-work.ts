import { type Build, isExternal, isModelDriven, isOver, type Pending, phaseOf, RULES } from './build.ts';
import type { Phase } from './states.ts';

/** The one thing that a build asks of whoever carries it out. */
export type NextWork = Readonly<
  | { kind: 'open_source' }
  | { kind: 'commit_files'; pending: Pending }
  | { kind: 'undo_release'; attempts: readonly number[] }
  | { kind: 'measure' }
  | { kind: 'phase'; phase: Phase }
  | { kind: 'wait' }
  | { kind: 'end' }
>;

/** Whether the build still lacks the existing code that it is to begin with. */
export const lacksSource = ({ spec, base }: Pick<Build, 'spec' | 'base'>): boolean =>
  spec.source !== undefined && (base ?? null) === null;

/**
 * What is to be done now, in this order: a tree must be whole before anybody works on it or it is measured, and what was
 * released must be taken back before the build goes on. The last two are owed even by a build that is parked or over.
 */
export function nextWork(build: Build): NextWork {
  const { position, pending, toUndo = [], undoStuck = false, gate } = build;
  if (position.status === 'in_progress' && lacksSource(build)) return { kind: 'open_source' };
  if (pending) return { kind: 'commit_files', pending };
  if (toUndo.length > 0 && !undoStuck) return { kind: 'undo_release', attempts: toUndo };
  if (isOver(position)) return { kind: 'end' };
  if (gate.kind === 'running') return { kind: 'measure' };
  const phase = phaseOf(position);
  return phase !== null && isModelDriven(build) ? { kind: 'phase', phase } : { kind: 'wait' };
}

/** Why nobody may advance the build for a moment, whoever drives it; null when nothing stands in the way. */
export function heldUpBy(build: Build): string | null {
  if (lacksSource(build)) return 'the existing code that the build begins with is still being fetched';
  if (build.pending) return `the files that ${build.pending.phase} handed on are still being committed`;
  return null;
}

export const followsRules = ({ spec }: Pick<Build, 'spec'>): boolean => (spec.rules ?? 0) >= RULES;

/** Whether releases of this build are taken back: they are ours where the model drives deployment; people have their own. */
export const takesReleasesBack = (build: Pick<Build, 'spec'>): boolean =>
  followsRules(build) && !isExternal(build.spec, 'release_manager');

/** Whether the build is complete by a release of ours, which therefore stands. */
export const standsReleased = ({ position, results }: Pick<Build, 'position' | 'results'>): boolean =>
  position.status === 'complete' && results.deployment?.by === 'llm';
