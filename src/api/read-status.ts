import type { StatusView } from '../machine/status-view.ts';
import { notFound } from './access.ts';
import { describedStatus, endedFromOutside, isOver, type KnownStatus } from './known-status.ts';
import { fromMirror } from './mirror-deadline.ts';
import type { Answer, ApiDeps, BuildDescription, MirrorBuild } from './ports.ts';

/** A status, and who told it. */
export type Sourced = Readonly<{ view: KnownStatus; source: 'workflow' | 'mirror' | 'temporal' }>;

/** A build that is over by the mirror, and open in Temporal by another run: a reset has begun it again, unwritten yet. */
async function begunAgain(known: MirrorBuild, deps: ApiDeps): Promise<BuildDescription | null> {
  if (!isOver(known.view)) return null;
  const described = await deps.builds.describe(known.workflowId);
  return described?.ending === null && described.runId !== known.runId ? described : null;
}

/** Without the workflow's own answer: the mirror's last status, else what Temporal knows. */
async function withoutWorkflow(
  workflowId: string,
  asked: Exclude<Answer<StatusView>, { kind: 'answer' }>,
  deps: ApiDeps,
): Promise<Sourced> {
  const ending = asked.kind === 'over' ? asked.ending : null;
  let mirrorFault: unknown = null;
  try {
    const known = await fromMirror(() => deps.mirror.findBuild(workflowId));
    if (ending !== null && (known === null || !isOver(known.view))) deps.noticeEnd(workflowId);
    const hasNoWorker = asked.kind === 'silent' && asked.error.code === 'no_worker';
    const again = known && hasNoWorker ? await begunAgain(known, deps).catch(() => null) : null;
    if (again) return { view: describedStatus(workflowId, again), source: 'temporal' };
    if (known) return { view: endedFromOutside(known.view, ending), source: 'mirror' };
  } catch (error) {
    mirrorFault = error;
  }
  if (asked.kind === 'silent' && asked.error.code === 'temporal_unreachable') throw asked.error;
  const described = asked.kind === 'unknown' ? null : await deps.builds.describe(workflowId);
  if (described) return { view: describedStatus(workflowId, described), source: 'temporal' };
  throw mirrorFault ?? notFound(workflowId);
}

/**
 * Where a build is, from what the workflow was `asked`, or in its place from whoever knows.
 * @throws AppError `not_found`, `mirror_unavailable`, `temporal_unreachable`
 */
export async function sourcedStatus(workflowId: string, asked: Answer<StatusView>, deps: ApiDeps): Promise<Sourced> {
  return asked.kind === 'answer' ? { view: asked.value, source: 'workflow' } : withoutWorkflow(workflowId, asked, deps);
}
