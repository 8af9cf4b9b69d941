import type { StatusView } from '../machine/status-view.ts';
import type { HistoryReply as LiveRows } from '../workflows/messages.ts';
import { EMPTY_HISTORY, handoffReply, joinAudit } from './audit.ts';
import { workflowParams } from './fields.ts';
import { atTime, type KnownStatus } from './known-status.ts';
import { fromMirror } from './mirror-deadline.ts';
import type { Answer, ApiDeps } from './ports.ts';
import { sourcedStatus } from './read-status.ts';
import { type HandoffReply, statusReply } from './replies.ts';
import { defineRoute } from './route.ts';

/** Handoffs that a status carries; GET history has the rest. */
const HANDOFF_LIMIT = 500;

type Handoffs = Readonly<{ handoff_history: HandoffReply[]; handoff_history_complete: boolean }>;

/** A status is worth having without its handoffs, so a mirror that is away only makes them incomplete. */
async function handoffsOf(
  workflowId: string,
  asked: Answer<StatusView>,
  live: Answer<LiveRows>,
  deps: ApiDeps,
): Promise<Handoffs> {
  const pages = { events: null, handoffs: { after: null, limit: HANDOFF_LIMIT } };
  const found = await fromMirror(() => deps.mirror.history(workflowId, pages)).catch(() => 'away' as const);
  const mirror = found === 'away' || found === null ? EMPTY_HISTORY : found;
  const audit = joinAudit(mirror, live.kind === 'answer' ? live.value : null, pages);
  const unheard = live.kind !== 'answer' && (found === 'away' || asked.kind === 'silent');
  return {
    handoff_history: audit.handoffs.filter(({ undone }) => !undone).map(handoffReply),
    handoff_history_complete: audit.complete && !unheard && audit.totalHandoffs <= HANDOFF_LIMIT,
  };
}

export const status = defineRoute({
  method: 'get',
  path: '/api/workflows/:workflow_id/status',
  operationId: 'workflowStatus',
  summary: 'Where a build is, by the workflow itself, else by the mirror, else by Temporal (see `source`).',
  params: workflowParams,
  reply: statusReply,
  errors: ['not_found', 'mirror_unavailable', 'temporal_unreachable'],
  handle: async ({ params }, deps) => {
    const { workflow_id: workflowId } = params;
    const [asked, live] = await Promise.all([deps.builds.status(workflowId), deps.builds.history(workflowId)]);
    const { view, source } = await sourcedStatus(workflowId, asked, deps);
    return {
      ...atTime<KnownStatus>(view, deps.now()),
      completed_phases: [...view.completed_phases],
      // Rows of builds that ended before there were downloads do not say.
      release: view.release ?? null,
      ...(await handoffsOf(workflowId, asked, live, deps)),
      source,
    };
  },
});
