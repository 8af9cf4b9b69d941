import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors.ts';
import type { PublishTarget } from '../../release-settings.ts';
import { holdLease, leaseEnded } from './lease.ts';
import { readJson, writeJson } from './record-files.ts';
import { safeName } from './safe-name.ts';

/** Which release of a build: a deployment attempt on one branch of its history makes one at most. */
export type AttemptOfRelease = Readonly<{ branch: string; attempt: number }>;

/**
 * What is written down before the first step of publishing that anybody sees, so that whoever comes after a crash knows
 * what to go on with or to take back. The first try of an attempt decides it; later tries make the same release.
 */
export type ReleaseRecord = AttemptOfRelease &
  Readonly<{
    /** The try of the activity that works on it: an older one that still runs stops. */
    run: number;
    /** When the attempt was scheduled, ms since 1970: the order of all releases of a build. */
    atMs: number;
    commit: string;
    bundle?: string | undefined;
    version: string;
    notes: string;
    /** Of the folder; the tag's name follows from it. */
    name: string;
    tag: string;
    target: PublishTarget['kind'];
    /** The address of `release.json` in the artifact store, once all steps are done. */
    manifest: string | null;
  }>;

/** What stands for ever where a release was taken back: nothing of this attempt is published after it. */
export type Tombstone = Readonly<{ undone: Readonly<{ version: string; tag: string }> | null }>;

/** The records of one build's releases, in a folder that all workers share. */
export type Records = Readonly<{
  read(key: AttemptOfRelease): Promise<ReleaseRecord | null>;
  write(record: ReleaseRecord): Promise<void>;
  remove(key: AttemptOfRelease): Promise<void>;
  list(): Promise<ReleaseRecord[]>;
  buried(key: AttemptOfRelease): Promise<Tombstone | null>;
  /** From here on nothing of the attempt is published any more. What was undone is remembered for repetitions. */
  bury(key: AttemptOfRelease, undone: Tombstone['undone']): Promise<void>;
  /** Says that this process works on the attempt. */
  hold(key: AttemptOfRelease): Promise<{ end(): Promise<void> }>;
  /** Waits until nobody works on the attempt. */
  released(key: AttemptOfRelease, signal: AbortSignal): Promise<void>;
  /** @throws AppError `release_failed` when the attempt was taken back, or another try has taken it over */
  requireOurs(record: ReleaseRecord): Promise<void>;
}>;

export function openRecords(buildFolder: string): Records {
  const folder = join(buildFolder, '.records');
  const nameOf = ({ branch, attempt }: AttemptOfRelease, ending: string): string =>
    `a${attempt}-${safeName(branch)}.${ending}`;
  const read = <T>(key: AttemptOfRelease, ending: string): Promise<T | null> =>
    readJson<T>(join(folder, nameOf(key, ending)));
  const records: Records = {
    read: (key) => read<ReleaseRecord>(key, 'json'),
    write: (record) => writeJson(folder, nameOf(record, 'json'), record),
    remove: (key) => rm(join(folder, nameOf(key, 'json')), { force: true }),
    list: async () => {
      const names = (await readdir(folder).catch(() => [])).filter((name) => /^a\d+-.*\.json$/.test(name));
      const found = await Promise.all(names.map((name) => readJson<ReleaseRecord>(join(folder, name))));
      return found.filter((record) => record !== null);
    },
    buried: (key) => read<Tombstone>(key, 'undone'),
    bury: (key, undone) => writeJson(folder, nameOf(key, 'undone'), { undone }),
    hold: (key) => holdLease(folder, nameOf(key, 'held')),
    released: (key, signal) => leaseEnded(folder, nameOf(key, 'held'), signal),
    requireOurs: async (record) => {
      if ((await records.buried(record)) !== null) throw takenBack(record);
      const found = await records.read(record);
      if (found?.run === record.run && found.commit === record.commit) return;
      throw new AppError('release_failed', `Another worker has taken over deployment attempt ${record.attempt}.`);
    },
  };
  return records;
}

export const takenBack = ({ attempt }: AttemptOfRelease): AppError =>
  new AppError('release_failed', `The release of deployment attempt ${attempt} was taken back; nothing of it is made.`);
