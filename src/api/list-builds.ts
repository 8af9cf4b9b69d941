import { z } from 'zod';
import { projectId, state, status, userId } from './fields.ts';
import type { Caller } from './keys.ts';
import { atTime } from './known-status.ts';
import { listReply } from './list-replies.ts';
import { fromMirror } from './mirror-deadline.ts';
import { once, pageCursor, pageLimit, writeCursor } from './paging.ts';
import type { BuildPlace, ListedBuild } from './ports.ts';
import { defineRoute } from './route.ts';
import { isWorkflowId } from './workflow-id.ts';

/** As far as a Date reaches. */
const LAST_MS = 8.64e15;

const place = z
  .tuple([z.int().min(0).max(LAST_MS), z.string().refine(isWorkflowId)])
  .transform(([createdAtMs, id]): BuildPlace => ({ createdAtMs, id }));

const query = z.strictObject({
  project_id: once(projectId).optional().meta({ description: 'Builds of this project alone.' }),
  state: once(state).optional().meta({ description: 'Builds that stand in this state; parked ones in `error`.' }),
  status: once(status).optional().meta({ description: 'Builds with this status.' }),
  user_id: once(userId).optional().meta({ description: 'Builds of this person.' }),
  limit: pageLimit('Builds of a page at most.'),
  cursor: pageCursor(place),
});

/** The projects whose builds may be shown; null: every one. A project that is not the caller's has no builds for them. */
function projectsShown({ projects }: Caller, asked: string | undefined): readonly string[] | null {
  if (asked === undefined) return projects;
  return projects === null || projects.includes(asked) ? [asked] : [];
}

type Listed = z.infer<typeof listReply>['workflows'][number];

/** The status that the mirror has, at the time of the call; less what only one build's own status is asked for. */
function listed({ userId, view }: ListedBuild, nowMs: number): Listed {
  const at = atTime(view, nowMs);
  return {
    workflow_id: at.workflow_id,
    build_id: at.build_id,
    project_id: at.project_id,
    user_id: userId,
    current_state: at.current_state,
    current_role: at.current_role,
    next_role: at.next_role,
    status: at.status,
    progress: at.progress,
    attempt: at.attempt,
    model: at.model,
    simulated: at.simulated,
    elapsed_time: at.elapsed_time,
    created_at: at.created_at,
    updated_at: at.updated_at,
    completed_at: at.completed_at,
    next_expectations: at.next_expectations,
  };
}

export const listBuilds = defineRoute({
  method: 'get',
  path: '/api/workflows',
  operationId: 'listWorkflows',
  summary: 'Builds, newest first: of one project, state, status or person, or of several of these together.',
  description:
    "As the mirror knows them: a build appears as soon as its first events are written, and may be a moment ahead of what is told here; its own status tells. Pages lose and repeat no build while others are started. A key that is bound to projects sees the builds of these; another project's list is empty.",
  query,
  reply: listReply,
  errors: ['mirror_unavailable'],
  handle: async ({ query: asked, caller }, deps) => {
    const projectIds = projectsShown(caller, asked.project_id);
    const filter = {
      projectIds,
      userId: asked.user_id ?? null,
      state: asked.state ?? null,
      status: asked.status ?? null,
      after: asked.cursor ?? null,
      limit: asked.limit,
    };
    const { builds, next } = await fromMirror(() => deps.mirror.listBuilds(filter));
    return {
      workflows: builds.map((build) => listed(build, deps.now())),
      next_cursor: next === null ? null : writeCursor([next.createdAtMs, next.id]),
    };
  },
});
