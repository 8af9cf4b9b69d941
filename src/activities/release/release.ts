import type { Press, Release, ReleaseBuild, ReleaseInput, ReleasesSettings, UndoneRelease } from './press.ts';
import { buildFolder } from './press.ts';
import { publish } from './publish.ts';
import { type AttemptOfRelease, openRecords, takenBack } from './records.ts';
import { undoAll, undoAttempt } from './take-back.ts';
import { createTarget } from './target.ts';

/** The releases of all builds: of each build one at a time. */
export type Releases = Readonly<{
  /**
   * Publishes a commit: artifact store, git tag, folder, target, in this order. A second call for the same attempt and
   * commit goes on where the first one stopped and gives the same release, whatever version it names; another commit
   * replaces it, and so does a newer attempt or one of a newer branch. What fails is taken back as far as it got.
   *
   * @throws AppError `release_failed`, `workspace_failed`; the signal's reason when aborted: then what was done stays for
   *   the next try or for `undo`.
   */
  make(input: ReleaseInput): Promise<Release>;
  /**
   * Takes the release of an attempt back, in the reverse order, and sees to it that none is published any more by a try
   * that still runs. Safe to repeat: it gives the same answer. Null when there is nothing to take back.
   */
  undo(build: ReleaseBuild, key: AttemptOfRelease): Promise<UndoneRelease | null>;
  /** The same of all releases of other branches that were begun before `atMs`. */
  undoOthers(build: ReleaseBuild, branch: string, atMs: number): Promise<UndoneRelease[]>;
}>;

export function createReleases(settings: ReleasesSettings): Releases {
  const { workspaces, log } = settings;
  const target = createTarget(settings.target, { repositoryOf: workspaces.repositoryWith, log });
  const press: Press = { settings, target };
  return {
    async make(input) {
      const records = openRecords(buildFolder(press, input));
      if ((await records.buried(input)) !== null) throw takenBack(input);
      const held = await records.hold(input);
      try {
        return await publish(press, input, records);
      } finally {
        await held.end();
      }
    },
    undo: (build, key) => undoAttempt(press, build, key),
    undoOthers: (build, branch, atMs) =>
      undoAll(press, build, (record) => record.branch !== branch && record.atMs < atMs),
  };
}
