import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { isJsonObject } from '../machine/json.ts';
import type { BuildSnapshot } from '../machine/snapshot.ts';
import type { AnnounceInput } from './contract.ts';
import type { ActivityDeps } from './deps.ts';
import { PrivateAddress } from './notify/checked-lookup.ts';
import { deliver } from './notify/webhook.ts';

/** For one try; how many there are is the workflow's to say. */
const TRY_TIMEOUT_MS = 10_000;
const FAILURE_ANNOUNCEMENT = 'announcement_failed';

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** What is told of a build that is live. The same for every try. */
function messageOf(build: BuildSnapshot, publicUrl: string | null) {
  const { workflowId, buildId, projectId } = build.spec;
  const { data = {}, seq = 0 } = build.results.deployment ?? {};
  const manifest = isJsonObject(data.release) ? text(data.release.manifest) : null;
  const url = publicUrl === null ? null : `${publicUrl}/api/workflows/${encodeURIComponent(workflowId)}/artifacts`;
  const releasedAt = new Date(build.position.status === 'complete' ? build.position.endedAtMs : build.updatedAtMs);
  const body = JSON.stringify({
    event: 'build.live',
    message: 'Your build is live',
    build_id: buildId,
    workflow_id: workflowId,
    project_id: projectId,
    version: text(data.version),
    released_at: releasedAt.toISOString(),
    release: { tag: text(data.release_tag), manifest_sha256: manifest },
    artifacts_url: url,
  });
  // Another release of the build, after a reset, is another message.
  const name = createHash('sha256').update(`${workflowId}\n${seq}\n${releasedAt.getTime()}\n${manifest}`).digest('hex');
  return { id: `msg_${name.slice(0, 32)}`, body };
}

/** What went wrong, without the address, which may hold a secret, and without what the receiver said. */
function faultOf(error: unknown): string {
  if (error instanceof PrivateAddress) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${TRY_TIMEOUT_MS / 1000} s`;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no connection';
  return `the receiver cannot be reached (${code})`;
}

/**
 * Tells NOTIFY_WEBHOOK_URL that the build is live: one try.
 * @throws ApplicationFailure `announcement_failed`, not retryable where the address is refused
 */
export async function announce(deps: ActivityDeps, { build }: AnnounceInput): Promise<void> {
  const { webhook, publicUrl, log } = deps;
  const { workflowId } = build.spec;
  if (webhook === null) {
    log.warn({ workflowId }, 'a release was not announced: this worker has no NOTIFY_WEBHOOK_URL');
    return;
  }
  const { info, cancellationSignal: signal } = Context.current();
  const message = messageOf(build, publicUrl);
  const about = { workflowId, messageId: message.id, try: info.attempt };
  const fail = (fault: string, nonRetryable: boolean): never => {
    log.warn({ ...about, fault }, 'a release was not announced');
    throw ApplicationFailure.create({ type: FAILURE_ANNOUNCEMENT, message: fault, nonRetryable });
  };
  const status = await deliver({ webhook, ...message, atMs: Date.now(), timeoutMs: TRY_TIMEOUT_MS, signal }).catch(
    (error: unknown) => {
      if (signal.aborted) throw error;
      return fail(faultOf(error), error instanceof PrivateAddress);
    },
  );
  if (status < 200 || status > 299) fail(`the receiver answered ${status}`, false);
  log.info({ ...about, status }, 'a release was announced');
}
