import { durationText } from '../machine/progress.ts';
import { PHASES, type Phase } from '../machine/states.ts';
import { mayUse } from './access.ts';
import { projectParams } from './fields.ts';
import { statsReply } from './list-replies.ts';
import { fromMirror } from './mirror-deadline.ts';
import type { ProjectFigures } from './ports.ts';
import { defineRoute } from './route.ts';

/** A share with one decimal; 0 of nothing. */
const tenths = (part: number, whole: number): number => (whole === 0 ? 0 : Math.round((10 * part) / whole) / 10);

function mostFailed(failures: ProjectFigures['failures']): Phase | null {
  const most = Math.max(...PHASES.map((phase) => failures[phase]));
  return most === 0 ? null : (PHASES.find((phase) => failures[phase] === most) ?? null);
}

const NO_BUILDS: ProjectFigures = {
  builds: { in_progress: 0, error: 0, complete: 0, cancelled: 0 },
  completeMs: 0,
  handoffs: 0,
  failures: { discovery: 0, planning: 0, implementation: 0, testing: 0, verification: 0, deployment: 0 },
};

export const projectStats = defineRoute({
  method: 'get',
  path: '/api/workflows/project/:project_id/stats',
  operationId: 'projectStats',
  summary: 'What the builds of a project come to.',
  description:
    'Counted from the mirror at the moment of the call. A project without builds, and one that the API key is not for, has zeros.',
  params: projectParams,
  reply: statsReply,
  errors: ['mirror_unavailable'],
  handle: async ({ params, caller }, deps) => {
    const { project_id: projectId } = params;
    const figures = mayUse(caller, projectId)
      ? await fromMirror(() => deps.mirror.projectFigures(projectId))
      : NO_BUILDS;
    const { in_progress: inProgress, error, complete: completed, cancelled } = figures.builds;
    const failed = error + cancelled;
    const total = completed + inProgress + failed;
    return {
      project_id: projectId,
      total_workflows: total,
      completed,
      in_progress: inProgress,
      failed,
      average_duration: durationText(completed === 0 ? 0 : figures.completeMs / completed),
      success_rate: tenths(100 * completed, completed + failed),
      most_common_failure_point: mostFailed(figures.failures),
      average_handoffs: tenths(figures.handoffs, total),
    };
  },
});
