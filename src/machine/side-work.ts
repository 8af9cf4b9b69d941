import type { Build, Commit, Pending } from './build.ts';
import type { Undone, WorkCommand } from './commands.ts';
import { addWork, type Draft, emit, park, settleGate } from './draft.ts';
import { placeOf } from './going-back.ts';
import { clipText, type Json, type JsonObject } from './json.ts';
import { followsRules, lacksSource, standsReleased, takesReleasesBack } from './next-work.ts';
import { PHASE_FIELDS } from './payloads.ts';
import type { Source } from './source.ts';
import { type Phase, phaseAt, phaseIndex, STATE_TABLE } from './states.ts';

/** Reasons are put together of two; a person reads both. */
const REASON_LIMIT_CHARS = 1000;

/** What came of work beside the phases. A build that is parked or over owes some of it too. */
export const SIDE_COMMANDS = [
  'source_opened',
  'files_committed',
  'commit_failed',
  'release_undone',
  'undo_failed',
  'reset_found',
] as const satisfies WorkCommand['type'][];
export type SideCommand = Extract<WorkCommand, { type: (typeof SIDE_COMMANDS)[number] }>;

/** Stands in `toUndo` for every release that was made before the build was reset: their attempts count on another branch. */
export const OLDER_BRANCHES = 0;

/** A commit as audit rows tell it. */
export const commitFacts = (commit: Commit | null): JsonObject => (commit === null ? {} : { ...commit });

const isGiven = (list: Json | undefined): boolean => Array.isArray(list) && list.length > 0;

/** Whether a result changes files; an extract says how many the whole does. */
export const changesFiles = (phase: Phase, { files, deleted_files, file_count }: JsonObject): boolean =>
  PHASE_FIELDS[phase].some(({ kind }) => kind === 'files') &&
  (isGiven(files) || (phase === 'implementation' && isGiven(deleted_files)) || Number(file_count) > 0);

/** The files of an external role wait for a worker to commit them: the machine has no git. To be called after the turn. */
export function noteFiles(draft: Draft, phase: Phase, data: JsonObject): void {
  if (!followsRules(draft) || !changesFiles(phase, data)) return;
  draft.pending = { phase, attempt: draft.attempts[phase], n: draft.turns - 1 };
}

/**
 * Whoever leaves deployment, but by the model's own completion, may leave a release behind: the attempt may have made it
 * and not be heard any more, or may be about to. All ways out lead through here, so none forgets it.
 */
export function noteRelease(before: Build, draft: Draft): void {
  const { position, attempts } = before;
  if (position.status !== 'in_progress' || position.state !== 'deployment') return;
  if (!takesReleasesBack(before)) return;
  const now = draft.position;
  const attempt = attempts.deployment;
  const stays = now.status === 'in_progress' && now.state === 'deployment' && draft.attempts.deployment === attempt;
  if (!stays && !standsReleased(draft)) draft.toUndo = [attempt, ...(draft.toUndo ?? [])];
}

const isSame = (one: Pending, other: Pending): boolean =>
  one.phase === other.phase && one.attempt === other.attempt && one.n === other.n;

function sourceFacts(source: Source): JsonObject {
  const { ref } = source;
  return source.kind === 'git' ? { git_url: source.url, ref } : { path: source.path, ref };
}

/** Applies what came of side work, or says why it does not belong to the build as it is now. */
export function applySideWork(build: Build, draft: Draft, command: SideCommand): string | null {
  switch (command.type) {
    case 'source_opened': {
      const { source } = build.spec;
      if (source === undefined || !lacksSource(build)) return 'no source is waited for';
      addWork(draft, command.work);
      openSource(draft, source, command.commit);
      return null;
    }
    case 'files_committed':
      if (!build.pending || !isSame(build.pending, command.pending)) return 'these files are not waited for';
      if (command.commit !== null) commitFiles(draft, command.pending, command.commit);
      draft.pending = null;
      return null;
    case 'commit_failed':
      if (!build.pending) return 'no files wait to be committed';
      failToCommit(draft, build.pending, command.reason);
      return null;
    case 'release_undone':
      undo(draft, command.attempts, command.undone);
      return null;
    case 'undo_failed':
      if ((build.toUndo ?? []).length === 0) return 'no release is to be taken back';
      failToUndo(draft, command.reason);
      return null;
    case 'reset_found':
      if (!takesReleasesBack(build) || standsReleased(build)) return 'no release of before is in the way';
      draft.toUndo = [...(draft.toUndo ?? []), OLDER_BRANCHES];
      return null;
  }
}

function openSource(draft: Draft, source: Source, commit: Commit): void {
  draft.base = commit;
  draft.head = { ...commit, runnable: false };
  const { discovery } = draft.checkpoints;
  // The build began when its first checkpoint was made, before there was a tree; a rollback there comes back to this one.
  if (discovery) draft.checkpoints = { ...draft.checkpoints, discovery: { ...discovery, head: draft.head } };
  emit(draft, 'source_opened', 'system', { ...commitFacts(commit), ...sourceFacts(source) });
}

function commitFiles(draft: Draft, { phase, attempt, n }: Pending, commit: Commit): void {
  const head = { ...commit, runnable: false };
  draft.head = head;
  const result = draft.results[phase];
  if (result?.attempt === attempt) draft.results = { ...draft.results, [phase]: { ...result, commit } };
  // A later phase may have begun meanwhile: its checkpoint knows the turn, so it must have the commit too.
  const followed = Object.entries(draft.checkpoints).map(([later, at]) => [later, at.turns > n ? { ...at, head } : at]);
  draft.checkpoints = Object.fromEntries(followed);
  settleGate(draft);
  emit(draft, 'files_committed', STATE_TABLE[phase].owner, { phase, attempt, ...commitFacts(commit) });
}

function failToCommit(draft: Draft, { phase, attempt }: Pending, told: string): void {
  const reason = `the files of ${phase}, attempt ${attempt}, could not be committed: ${told}`;
  draft.pending = null;
  const { position } = draft;
  if (position.status === 'in_progress') {
    // A reject has led back before the phase that handed them on: then the work goes on there, without them.
    const current = phaseAt(position.state);
    const resumeAt = phaseIndex(phase) < phaseIndex(current) ? phase : current;
    park(draft, { code: 'phase_failed', reason, failedIn: position.state, resumeAt }, []);
  } else if (position.status === 'error') {
    addTrouble(draft, 'phase_failed', reason);
  } else {
    emit(draft, 'files_committed', STATE_TABLE[phase].owner, { phase, attempt, commit: null, reason });
  }
}

function undo(draft: Draft, attempts: readonly number[], undone: readonly Undone[]): void {
  if (draft.toUndo) draft.toUndo = draft.toUndo.filter((attempt) => !attempts.includes(attempt));
  for (const release of undone) emit(draft, 'release_undone', 'system', { phase: 'deployment', ...release });
}

/** The attempts whose release is to be taken back, as people are told of them. */
export const releasesOf = ({ toUndo = [] }: Pick<Build, 'toUndo'>): string =>
  toUndo
    .map((attempt) => (attempt === OLDER_BRANCHES ? 'before the reset' : `deployment attempt ${attempt}`))
    .join(' and ');

function failToUndo(draft: Draft, told: string): void {
  const reason = `the release of ${releasesOf(draft)} could not be taken back: ${told}; mend that and retry`;
  draft.undoStuck = true;
  const place = placeOf(draft.position);
  if (draft.position.status === 'error') addTrouble(draft, 'release_failed', reason);
  else if (place !== null) {
    park(draft, { code: 'release_failed', reason, failedIn: place, resumeAt: phaseAt(place) }, []);
  }
}

/** A build that is parked gets a second reason; retry still leads where the first one says. */
function addTrouble(draft: Draft, code: 'phase_failed' | 'release_failed', told: string): void {
  const { position } = draft;
  if (position.status !== 'error') return;
  const reason = clipText(`${position.reason}; and ${told}`, REASON_LIMIT_CHARS);
  park(draft, { ...position, code: position.code, reason }, [], { code });
}
