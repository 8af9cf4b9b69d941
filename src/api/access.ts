import { AppError } from '../errors.ts';
import type { Caller } from './keys.ts';
import { fromMirror } from './mirror-deadline.ts';
import type { ApiDeps } from './ports.ts';
import { isWorkflowId } from './workflow-id.ts';

/** The same words for a build that is not there and for one that is not the caller's. */
export const notFound = (workflowId: string): AppError =>
  new AppError(
    'not_found',
    `There is no build ${JSON.stringify(workflowId)}; use the workflow_id that its start answered with.`,
  );

export const mayUse = ({ projects }: Caller, projectId: string): boolean =>
  projects === null || projects.includes(projectId);

/** A project is there from its first build on, so that one that is not the caller's looks like one that never was. */
export function requireProject(projectId: string, caller: Caller): void {
  if (mayUse(caller, projectId)) return;
  throw new AppError('not_found', `There is no project ${JSON.stringify(projectId)} that this API key may use.`);
}

/** The mirror's answer where it has one, else Temporal's: a build is known to one of them from its start on. */
async function projectOf(workflowId: string, deps: ApiDeps): Promise<string | null> {
  const mirrored = await fromMirror(() => deps.mirror.findBuild(workflowId)).catch(
    (error: unknown) => error as AppError,
  );
  if (mirrored !== null && !(mirrored instanceof AppError)) return mirrored.view.project_id;
  const described = await deps.builds.describe(workflowId);
  // Temporal forgets builds that the mirror, which is away, may still know.
  if (described === null && mirrored instanceof AppError) throw mirrored;
  return described?.projectId ?? null;
}

/**
 * Lets only those callers pass to whose projects the build belongs; whether it exists at all is looked up for callers
 * that are bound to projects only.
 * @throws AppError `not_found`, and for a bound caller `mirror_unavailable`, `temporal_unreachable`
 */
export async function requireBuild(workflowId: string, caller: Caller, deps: ApiDeps): Promise<void> {
  if (!isWorkflowId(workflowId)) throw notFound(workflowId);
  if (caller.projects === null) return;
  const projectId = await projectOf(workflowId, deps);
  if (projectId === null || !mayUse(caller, projectId)) throw notFound(workflowId);
}
