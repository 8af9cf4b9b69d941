import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { MANIFEST_NAME, type ReleaseArtifact, readManifest } from '../artifacts/release-manifest.ts';
import { AppError } from '../errors.ts';
import type { ReleaseView } from '../machine/status-view.ts';
import type { ByteRange } from './byte-range.ts';
import type { KnownStatus } from './known-status.ts';
import type { ApiDeps } from './ports.ts';
import { sourcedStatus } from './read-status.ts';

/** A build's release and its downloads; `reason` says why there are none. */
export type FoundRelease = Readonly<
  | { release: ReleaseView; artifacts: readonly ReleaseArtifact[]; reason: null }
  | { release: null; artifacts: readonly []; reason: string }
>;

const notKnown = (): AppError =>
  new AppError(
    'mirror_unavailable',
    'The build is complete, and nobody who answers knows its release; ask again when the database is back.',
    { retryAfterS: 5 },
  );

function reasonOf({ status, current_state: state, next_expectations: next }: KnownStatus): string {
  switch (status) {
    case 'complete':
      return 'The build is complete, and its deployment was handed on from outside or is older than downloads are: there is nothing here to download.';
    case 'cancelled':
      return 'The build was cancelled: it has no release.';
    case 'error':
      return `The build is parked and has no release: ${next.task}`;
    case 'in_progress':
      return `The build is in ${state}: it has a release once deployment is completed.`;
  }
}

/** The manifest itself is a download as well. Its address was written by the orchestrator; that it is of this build is seen. */
async function artifactsOf(workflowId: string, sha256: string, store: ArtifactStore): Promise<ReleaseArtifact[]> {
  const bytes = await store.get(sha256);
  const manifest = readManifest(bytes);
  if (manifest?.workflow_id !== workflowId) {
    throw new AppError('artifact_missing', `Artifact ${sha256} is not the manifest of a release of ${workflowId}.`);
  }
  const parts = [{ sha256, bytes: bytes.length }];
  const own = { name: MANIFEST_NAME, kind: 'manifest', media_type: 'application/json', bytes: bytes.length } as const;
  return [...manifest.artifacts, { ...own, sha256, parts }];
}

/**
 * Finds the release that a build has now. One that was taken back is no build's.
 * @throws AppError `not_found`, `mirror_unavailable`, `temporal_unreachable`
 */
export async function findRelease(workflowId: string, deps: ApiDeps): Promise<FoundRelease> {
  const { view, source } = await sourcedStatus(workflowId, await deps.builds.status(workflowId), deps);
  const release = view.release ?? null;
  if (release !== null) {
    return { release, artifacts: await artifactsOf(workflowId, release.manifest_sha256, deps.artifacts), reason: null };
  }
  if (source === 'temporal' && view.status === 'complete') throw notKnown();
  return { release, artifacts: [], reason: reasonOf(view) };
}

/** Reads a range of an artifact from the store, a part at a time; parts beside the range are left alone. */
export async function* readArtifact(
  { parts }: Pick<ReleaseArtifact, 'parts'>,
  { first, last }: ByteRange,
  store: Pick<ArtifactStore, 'get'>,
): AsyncGenerator<Buffer> {
  let begin = 0;
  for (const { sha256, bytes } of parts) {
    const [from, to] = [Math.max(first - begin, 0), Math.min(last - begin, bytes - 1)];
    if (from <= to) yield (await store.get(sha256)).subarray(from, to + 1);
    begin += bytes;
  }
}
