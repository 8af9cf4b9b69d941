import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { HistoryReply as LiveRows } from '../workflows/messages.ts';
import { notFound } from './access.ts';
import { type Audit, EMPTY_HISTORY, eventReply, handoffReply, joinAudit } from './audit.ts';
import { workflowParams } from './fields.ts';
import { type HistoryCursor, historyCursor, writeHistoryCursor } from './history-cursor.ts';
import { fromMirror } from './mirror-deadline.ts';
import { pageCursor, pageLimit } from './paging.ts';
import type { Answer, ApiDeps, MirrorHistory } from './ports.ts';
import { historyReply } from './replies.ts';
import { defineRoute } from './route.ts';

const query = z.strictObject({ limit: pageLimit('Rows of each list at most.'), cursor: pageCursor(historyCursor) });

const behind = (): AppError =>
  new AppError(
    'mirror_unavailable',
    'The database that remembers builds is behind the build, and not all of its history is there yet; ask again soon.',
    { retryAfterS: 5 },
  );

/** The mirror's rows; none while it does not know the build, if Temporal does. */
async function mirrorRows(
  workflowId: string,
  live: Answer<LiveRows>,
  pages: Parameters<ApiDeps['mirror']['history']>[1],
  deps: ApiDeps,
): Promise<MirrorHistory> {
  try {
    const found = await fromMirror(() => deps.mirror.history(workflowId, pages));
    if (found !== null) return found;
  } catch (error) {
    if (live.kind !== 'answer') throw error;
    // The workflow may still hold all there is; if it does not, the join says so.
    return EMPTY_HISTORY;
  }
  if (live.kind === 'unknown') throw notFound(workflowId);
  if (live.kind === 'silent' && live.error.code === 'temporal_unreachable') throw live.error;
  if (live.kind === 'silent' && (await deps.builds.describe(workflowId)) === null) throw notFound(workflowId);
  return EMPTY_HISTORY;
}

async function readAudit(workflowId: string, cursor: HistoryCursor, limit: number, deps: ApiDeps): Promise<Audit> {
  // One row more than is shown says whether there is a next page.
  const pages = {
    events: { after: cursor.events, limit: limit + 1 },
    handoffs: { after: cursor.handoffs, limit: limit + 1 },
  };
  const live = await deps.builds.history(workflowId);
  const mirror = await mirrorRows(workflowId, live, pages, deps);
  const audit = joinAudit(mirror, live.kind === 'answer' ? live.value : null, pages);
  if (!audit.complete) throw behind();
  return audit;
}

export const history = defineRoute({
  method: 'get',
  path: '/api/workflows/:workflow_id/history',
  operationId: 'workflowHistory',
  summary: 'The handoffs and events of a build, oldest first, a page of each list at a time.',
  params: workflowParams,
  query,
  reply: historyReply,
  errors: ['not_found', 'mirror_unavailable', 'temporal_unreachable'],
  handle: async ({ params, query: asked }, deps) => {
    const { workflow_id: workflowId } = params;
    const { limit, cursor = { events: null, handoffs: null } } = asked;
    const audit = await readAudit(workflowId, cursor, limit, deps);
    const [events, handoffs] = [audit.events.slice(0, limit), audit.handoffs.slice(0, limit)];
    const more = audit.events.length > limit || audit.handoffs.length > limit;
    const next = { events: events.at(-1) ?? cursor.events, handoffs: handoffs.at(-1) ?? cursor.handoffs };
    return {
      workflow_id: workflowId,
      handoff_count: handoffs.length,
      total_handoffs: audit.totalHandoffs,
      handoffs: handoffs.map(handoffReply),
      events: events.map(eventReply),
      next_cursor: more ? writeHistoryCursor(next) : null,
    };
  },
});
