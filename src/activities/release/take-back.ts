import { AppError } from '../../errors.ts';
import { buildFolder, type Press, publicationOf, type ReleaseBuild, type UndoneRelease } from './press.ts';
import { type AttemptOfRelease, openRecords, type ReleaseRecord } from './records.ts';
import { removeFolder, sweepStaging } from './release-folder.ts';

export const isOlder = (
  one: Pick<ReleaseRecord, 'atMs' | 'attempt'>,
  than: Pick<ReleaseRecord, 'atMs' | 'attempt'>,
): boolean => one.atMs < than.atMs || (one.atMs === than.atMs && one.attempt < than.attempt);

/** What was published to one target cannot be taken back from another. @throws AppError `release_failed` */
export function requireTarget({ settings }: Press, { attempt, target: was }: ReleaseRecord): void {
  const { kind } = settings.target;
  if (was === kind) return;
  const rule = `The release of attempt ${attempt} was begun with PUBLISH_TARGET=${was}, which is ${kind} now`;
  throw new AppError('release_failed', `${rule}: set it back until the release is taken back.`);
}

/**
 * The steps of publishing in reverse. A target that is away keeps nothing here from going; but the record goes last, and
 * only when all is gone, so that whoever repeats the call finishes it.
 */
export async function takeBack(press: Press, build: ReleaseBuild, record: ReleaseRecord): Promise<void> {
  const { workspaces } = press.settings;
  const publication = publicationOf(press, build, record);
  const folder = buildFolder(press, build);
  requireTarget(press, record);
  // First what is being laid out: a folder that got its name after the look for it would stay.
  await sweepStaging(folder, record);
  const [unpublished] = await Promise.allSettled([press.target.unpublish(publication)]);
  build.signal.throwIfAborted();
  await removeFolder(publication.path);
  await workspaces.removeTag({ workflowId: build.workflowId, name: record.tag, signal: build.signal });
  if (unpublished.status === 'rejected') throw unpublished.reason;
  await openRecords(folder).remove(record);
}

export async function undoAttempt(
  press: Press,
  build: ReleaseBuild,
  { branch, attempt }: AttemptOfRelease,
): Promise<UndoneRelease | null> {
  const key = { branch, attempt };
  const records = openRecords(buildFolder(press, build));
  const tombstone = await records.buried(key);
  if (tombstone === null) await records.bury(key, null);
  await records.released(key, build.signal);
  const record = await records.read(key);
  if (record === null) return tombstone?.undone ? { ...key, ...tombstone.undone } : null;
  const undone = { version: record.version, tag: record.tag };
  // Before the steps: a call that was cut off behind them would forget what it took back.
  await records.bury(key, undone);
  await takeBack(press, build, record);
  return { ...key, ...undone };
}

/** Takes back every release of a build that is meant, newest first. */
export async function undoAll(
  press: Press,
  build: ReleaseBuild,
  isMeant: (record: ReleaseRecord) => boolean,
): Promise<UndoneRelease[]> {
  const records = (await openRecords(buildFolder(press, build)).list()).filter(isMeant);
  const undone: UndoneRelease[] = [];
  for (const record of records.sort((a, b) => (isOlder(a, b) ? 1 : -1))) {
    const one = await undoAttempt(press, build, record);
    if (one !== null) undone.push(one);
  }
  return undone;
}
