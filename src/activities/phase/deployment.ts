import { type Attempt, askRole, filesOf } from './ask-role.ts';
import { commitFiles } from './commit-files.ts';
import type { Done } from './done.ts';

/** The release manager's phase. */
export async function deploy(attempt: Attempt): Promise<Done> {
  const { deps, input, meter } = attempt;
  const { value, simulated } = await askRole(attempt);
  const commit = filesOf(value).length > 0 ? await commitFiles(attempt, value) : null;
  const head = commit ?? input.build.head;
  // A release that the role calls failed is not made, so nothing is left to undo.
  if (value.deployment_successful !== true || head === null) return { value, commit, simulated };
  const { workflowId, buildId, projectId } = input.build.spec;
  const { workspaces, releasesDir } = deps;
  const release = await deps.makeRelease({
    workspaces,
    releasesDir,
    workflowId,
    buildId,
    projectId,
    commit: head.commit,
    version: String(value.version),
    notes: typeof value.notes === 'string' ? value.notes : JSON.stringify(value.notes),
    attempt: input.build.attempts.deployment,
    atMs: input.build.updatedAtMs,
    signal: meter.signal,
  });
  // The moment is ours to say: the role cannot know it.
  const released = { deployed_at: new Date().toISOString(), release_path: release.path, release_tag: release.tag };
  return { value: { ...value, ...released }, commit, simulated };
}
