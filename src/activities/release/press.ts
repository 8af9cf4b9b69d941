import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import type { PublishTarget } from '../../release-settings.ts';
import type { Workspaces } from '../workspace/workspaces.ts';
import type { ReleaseFacts } from './facts.ts';
import type { AttemptOfRelease, ReleaseRecord } from './records.ts';
import { safeName } from './safe-name.ts';
import type { Publication, Target } from './target.ts';

export type ReleaseWorkspaces = Pick<
  Workspaces,
  'archive' | 'exportTree' | 'listFiles' | 'repositoryWith' | 'treeOf' | 'setTag' | 'removeTag' | 'advanceBuild'
>;

/** Whose release. */
export type ReleaseBuild = Readonly<{ workflowId: string; buildId: string; projectId: string; signal: AbortSignal }>;

export type ReleaseInput = ReleaseBuild &
  AttemptOfRelease &
  Readonly<{
    /** The try of the activity. */
    run: number;
    /** When the attempt was scheduled, ms since 1970; the same in all its tries. It orders the releases of a build. */
    atMs: number;
    commit: Readonly<{ commit: string; bundle?: string | undefined }>;
    /** The commit of the user's source; null where the build began with nothing. */
    base: string | null;
    version: string;
    notes: string;
    facts: ReleaseFacts;
  }>;

export type Release = Readonly<{
  /** The release's folder: `release.json`, the downloads, and the product below `files`. */
  path: string;
  version: string;
  tag: string;
  /** The address of `release.json` in the artifact store. */
  manifest: string;
}>;

export type UndoneRelease = AttemptOfRelease & Readonly<{ version: string; tag: string }>;

export type ReleasesSettings = Readonly<{
  store: ArtifactStore;
  workspaces: ReleaseWorkspaces;
  /** All workers share it. */
  releasesDir: string;
  target: PublishTarget;
  log: Logger;
}>;

/** What all that publishes works with. */
export type Press = Readonly<{ settings: ReleasesSettings; target: Target }>;

export const buildFolder = ({ settings }: Press, { projectId, buildId }: ReleaseBuild): string =>
  join(settings.releasesDir, safeName(projectId), safeName(buildId));

export function publicationOf(press: Press, build: ReleaseBuild, record: ReleaseRecord): Publication {
  const { workflowId, buildId, projectId, signal } = build;
  const { version, attempt, commit, bundle, name, tag } = record;
  const path = join(buildFolder(press, build), name);
  return { workflowId, buildId, projectId, signal, version, attempt, commit, bundle, name, tag, path };
}
