import { z } from 'zod';
import { AppError } from '../errors.ts';
import { requireProject } from './access.ts';
import { digestOf } from './digest.ts';
import { buildId, projectId, requirements, userId } from './fields.ts';
import type { ApiDeps } from './ports.ts';
import type { Call } from './route.ts';
import { source } from './source.ts';
import { startBuildOnce } from './start-build.ts';
import { type StartBody, startRequest } from './start-spec.ts';

/** A start that names its project in the body and need not name its build. */
export const namelessStart = z.strictObject({
  project_id: projectId,
  user_id: userId,
  requirements,
  build_id: buildId.nullish().meta({
    description:
      "The caller's own name for the build, unique for ever. Without it the build is named by the Idempotency-Key.",
  }),
  source,
});

/** Codes with which such a start may be refused. */
export const START_ERRORS = [
  'not_found',
  'model_unavailable',
  'source_refused',
  'build_id_taken',
  'idempotency_key_reused',
  'temporal_unreachable',
  'too_busy',
] as const;

type NamelessCall = Pick<Call<unknown, unknown, z.infer<typeof namelessStart>>, 'body' | 'caller' | 'idempotencyKey'>;

const keyReused = (): AppError =>
  new AppError('idempotency_key_reused', 'This Idempotency-Key was used for another start before; use a new one.');

/**
 * Starts a build once. The key of a caller names the build that has no name of its own: a repetition with the key finds
 * the same build, and a new key, which every call without one gets, is a new build.
 * @returns the build's workflow_id
 * @throws AppError one of {@link START_ERRORS}, `body_too_large`
 */
export async function startNameless(
  { body, caller, idempotencyKey }: NamelessCall,
  more: Pick<StartBody, 'model' | 'external_roles'>,
  deps: ApiDeps,
): Promise<string> {
  const { project_id: project, user_id, requirements: asked, build_id: given, source: from } = body;
  requireProject(project, caller);
  const build_id = given ?? `build-${digestOf(`${caller.name}\n${idempotencyKey}`)}`;
  const request = startRequest(project, { build_id, user_id, requirements: asked, source: from, ...more });
  return startBuildOnce(request, deps).catch((error: unknown) => {
    const taken = error instanceof AppError && error.code === 'build_id_taken';
    throw taken && !given ? keyReused() : error;
  });
}
