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

/** The same words for an address that is not there and for one that is not the caller's. */
export const nothingAt = (path: string): AppError =>
  new AppError(
    'not_found',
    `There is nothing at ${JSON.stringify(path.slice(0, 200))}; see the list of calls in the documentation.`,
  );

export const mayUse = ({ projects }: Caller, projectId: string): boolean =>
  projects === null || projects.includes(projectId);

/** A project is there from its first build on, so that one that is not the caller's looks like one that never was. */
export function requireProject(projectId: string, caller: Caller): void {
  if (mayUse(caller, projectId)) return;
  throw new AppError('not_found', `There is no project ${JSON.stringify(projectId)} that this API key may use.`);
}

/**
 * Whether a build is the caller's, by the mirror, else by Temporal: a build is known to one of them from its start on.
 * Both are asked about every build that is not the caller's, so that neither the answer, the time it takes nor what it
 * fails with tells a foreign build from none.
 * @throws AppError `mirror_unavailable`, `temporal_unreachable`
 */
async function isCallers(workflowId: string, caller: Caller, deps: ApiDeps): Promise<boolean> {
  const mirrored = await fromMirror(() => deps.mirror.findBuild(workflowId)).catch(
    (error: unknown) => error as AppError,
  );
  const away = mirrored instanceof AppError;
  if (mirrored !== null && !away && mayUse(caller, mirrored.view.project_id)) return true;
  const projectId = (await deps.builds.describe(workflowId))?.projectId ?? null;
  if (projectId !== null && mayUse(caller, projectId)) return true;
  // Temporal forgets builds that the mirror, which is away, may still know.
  if (away) throw mirrored;
  return false;
}

/**
 * Lets only those callers pass to whose projects the build belongs; whether it exists at all is looked up for callers
 * that are bound to projects only.
 * @throws AppError `not_found`, and for a bound caller `mirror_unavailable`, `temporal_unreachable`
 */
async function requireBuild(workflowId: string, caller: Caller, deps: ApiDeps): Promise<void> {
  if (!isWorkflowId(workflowId)) throw notFound(workflowId);
  if (caller.projects === null) return;
  if (!(await isCallers(workflowId, caller, deps))) throw notFound(workflowId);
}

type Named = Readonly<{ caller: Caller; params: unknown; body?: unknown }>;

/**
 * Stands before the handler of every call that names a build, in its path or its body, so that no handler can forget it
 * and nothing is done or kept for a build that is not the caller's.
 * @throws AppError `not_found`, and for a bound caller `mirror_unavailable`, `temporal_unreachable`
 */
export async function requireNamedBuild({ caller, params, body }: Named, deps: ApiDeps): Promise<void> {
  for (const part of [params, body]) {
    const { workflow_id: id } = (part ?? {}) as { workflow_id?: unknown };
    if (typeof id === 'string') await requireBuild(id, caller, deps);
  }
}
