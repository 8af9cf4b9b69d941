import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { WorkInput } from '../activities/contract.ts';
import type { WorkCommand } from '../machine/commands.ts';
import { snapshotOf } from '../machine/snapshot.ts';
import { parkCommand } from './failures.ts';
import { apply, nextBatch, type Session } from './session.ts';

/** Beyond the deadline of an attempt, so that the worker's own word on it arrives first. */
export const DEADLINE_SLACK_MS = 10_000;

/**
 * Runs one attempt in a scope of its own. After the await the epoch is checked before anything is believed: a result, a
 * failure or a cancellation of an older epoch belongs to work that a command has made void.
 * @param failed what a failure means; by default it parks the build
 */
export function attempt(
  session: Session,
  run: (input: WorkInput) => Promise<void>,
  failed: (error: unknown, remainingMs: number) => WorkCommand = parkCommand,
): Promise<void> {
  const { build: now } = session;
  const remainingMs = now.spec.activeTimeoutMs - now.activeMs;
  if (remainingMs <= 0) {
    apply(session, { type: 'time_out', work: { activeMs: 0, calls: [] } });
    return Promise.resolve();
  }
  const input = { build: snapshotOf(now), batch: nextBatch(session), remainingMs };
  return guarded(
    session,
    () => run(input),
    (error) => failed(error, remainingMs),
  );
}

/** Runs work that any command makes void. */
export async function guarded(
  session: Session,
  run: () => Promise<void>,
  failed: (error: unknown) => WorkCommand,
): Promise<void> {
  const { epoch } = session.build;
  const scope = new CancellationScope();
  session.scope = scope;
  try {
    await scope.run(run);
  } catch (error) {
    if (session.build.epoch !== epoch) return;
    if (isCancellation(error)) throw error;
    apply(session, failed(error));
  } finally {
    session.scope = null;
  }
}
