import { isCancellation, patched } from '@temporalio/workflow';
import type { WorkInput } from '../activities/contract.ts';
import { isOver, type Pending } from '../machine/build.ts';
import { nextWork, standsReleased } from '../machine/next-work.ts';
import { OLDER_BRANCHES, releasesOf } from '../machine/side-work.ts';
import { snapshotOf } from '../machine/snapshot.ts';
import { attempt, DEADLINE_SLACK_MS, guarded } from './attempt.ts';
import { troubleOf } from './failures.ts';
import { announce, commitFiles, openSource, UNTIL_DONE, undoRelease } from './proxies.ts';
import { apply, confirm, nextBatch, type Session } from './session.ts';

/** What committing or taking back may take; neither counts against what a build has left of its active time. */
const SIDE_TIMEOUT_MS = 300_000;
const START_TO_CLOSE_MS = SIDE_TIMEOUT_MS + DEADLINE_SLACK_MS;

const inputFor = (session: Session): WorkInput => ({
  build: snapshotOf(session.build),
  batch: nextBatch(session),
  remainingMs: SIDE_TIMEOUT_MS,
});

/** Fetches the existing code; a failure parks the build in discovery, and a retry fetches again. */
export function runSource(session: Session): Promise<void> {
  const { epoch } = session.build;
  return attempt(session, async (input) => {
    const options = { summary: 'fetches the source', startToCloseTimeout: input.remainingMs + DEADLINE_SLACK_MS };
    const { ackedSeq, commit, work } = await openSource.executeWithOptions(options, [input]);
    session.scope = null;
    confirm(session, ackedSeq);
    if (session.build.epoch === epoch) apply(session, { type: 'source_opened', commit, work });
  });
}

async function commit(session: Session, pending: Pending, patience: { retry?: typeof UNTIL_DONE } = {}): Promise<void> {
  const { epoch } = session.build;
  const summary = `commits the files of ${pending.phase}, attempt ${pending.attempt}`;
  const options = { summary, startToCloseTimeout: START_TO_CLOSE_MS, ...patience };
  const done = await commitFiles.executeWithOptions(options, [{ ...inputFor(session), pending }]);
  session.scope = null;
  confirm(session, done.ackedSeq);
  if (session.build.epoch === epoch) apply(session, { type: 'files_committed', pending, commit: done.commit });
}

/** Commits what an external role handed on. A command in between makes it void; where the files still count it is done again. */
export function runCommit(session: Session, pending: Pending): Promise<void> {
  return guarded(
    session,
    () => commit(session, pending),
    (error) => ({ type: 'commit_failed', reason: troubleOf(error) }),
  );
}

async function undo(
  session: Session,
  noted: readonly number[],
  patience: { retry?: typeof UNTIL_DONE } = {},
): Promise<void> {
  const attempts = noted.filter((number) => number !== OLDER_BRANCHES);
  const summary = `takes back the release of ${releasesOf({ toUndo: noted })}`;
  const options = { summary, startToCloseTimeout: START_TO_CLOSE_MS, ...patience };
  const { ackedSeq, undone } = await undoRelease.executeWithOptions(options, [{ ...inputFor(session), attempts }]);
  confirm(session, ackedSeq);
  apply(session, { type: 'release_undone', attempts: noted, undone });
}

/**
 * Takes releases back. No command makes that void, so it has no scope that one could cancel: wherever the build goes, the
 * release must go. What cannot be taken back parks the build; one that was ended meanwhile is patient with it in `payOff`.
 */
export async function runUndo(session: Session, attempts: readonly number[]): Promise<void> {
  try {
    await undo(session, attempts);
  } catch (error) {
    if (isCancellation(error)) throw error;
    if (!isOver(session.build.position)) apply(session, { type: 'undo_failed', reason: troubleOf(error) });
  }
}

/** Does what a build owes that is over, patiently: there is no state left in which somebody could retry it. */
export async function payOff(session: Session): Promise<void> {
  for (let work = nextWork(session.build); work.kind !== 'end'; work = nextWork(session.build)) {
    const patience = { retry: UNTIL_DONE };
    try {
      if (work.kind === 'commit_files') await commit(session, work.pending, patience);
      else if (work.kind === 'undo_release') await undo(session, work.attempts, patience);
      else return;
    } catch (error) {
      const type = work.kind === 'commit_files' ? 'commit_failed' : 'undo_failed';
      apply(session, { type, reason: troubleOf(error) });
    }
  }
}

/**
 * A run that a reset made begins where the reset points, but a release of the run before it may still stand. That is noted
 * once, at the first step that is not replayed: what the reset kept must replay as it was recorded.
 * @returns whether there is something to do
 */
export function noteReset(session: Session): boolean {
  if (!session.owesReset || standsReleased(session.build) || !patched('releases-before-reset')) return false;
  session.owesReset = false;
  return apply(session, { type: 'reset_found' }).ok;
}

/** Whoever wants to know is told of the release. That nobody listens harms no build. */
export async function tellOfRelease(session: Session): Promise<void> {
  const options = { summary: 'tells of the release' };
  await announce.executeWithOptions(options, [{ build: snapshotOf(session.build) }]).catch(() => undefined);
}
