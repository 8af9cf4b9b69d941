import { Context } from '@temporalio/activity';
import { releaseFacts } from '../release/facts.ts';
import { type Attempt, askRole, filesOf } from './ask-role.ts';
import { commitFiles } from './commit-files.ts';
import type { Done } from './done.ts';

/** What only the orchestrator knows of a release; whatever a role says of it is dropped. */
const OWN_FIELDS = ['release', 'release_path', 'release_tag'] as const;

/** The release manager's phase. */
export async function deploy(attempt: Attempt): Promise<Done> {
  const { deps, input, meter } = attempt;
  const { build, batch } = input;
  const asked = await askRole(attempt);
  const { simulated } = asked;
  const value = { ...asked.value };
  for (const name of OWN_FIELDS) delete value[name];
  const commit = filesOf(value).length > 0 ? await commitFiles(attempt, value) : null;
  const head = commit ?? build.head;
  // A release that the role calls failed is not made, so nothing is left to undo.
  if (value.deployment_successful !== true || head === null) return { value, commit, simulated };
  const { workflowId, buildId, projectId } = build.spec;
  const { path, version, tag, manifest } = await deps.releases.make({
    workflowId,
    buildId,
    projectId,
    branch: batch.branch,
    attempt: build.attempts.deployment,
    run: Context.current().info.attempt,
    atMs: batch.openedAtMs,
    commit: { commit: head.commit, bundle: head.bundle },
    base: build.base?.commit ?? null,
    version: String(value.version),
    notes: typeof value.notes === 'string' ? value.notes : JSON.stringify(value.notes),
    facts: await releaseFacts(deps.store, build),
    signal: meter.signal,
  });
  // The moment is ours to say: the role cannot know it. The version is that of the first try, whatever this one named.
  const deployed_at = new Date(batch.openedAtMs).toISOString();
  const released = { version, deployed_at, release_path: path, release_tag: tag, release: { manifest } };
  return { value: { ...value, ...released }, commit, simulated };
}
