import { AppError } from '../errors.ts';
import type { BuildSpec } from '../machine/build.ts';
import { allowedSourcePath } from '../source-paths.ts';
import { fromMirror } from './mirror-deadline.ts';
import type { ApiDeps } from './ports.ts';
import { requireModels } from './start-models.ts';
import { buildSpec, type StartRequest, startDigest } from './start-spec.ts';
import { workflowIdOf } from './workflow-id.ts';

const taken = (buildId: string): AppError =>
  new AppError(
    'build_id_taken',
    `build_id ${JSON.stringify(buildId)} was used for another start; a build_id is unique for ever. Choose a new one.`,
  );

/** The mirror remembers what Temporal's retention forgets; without it Temporal alone decides. */
async function digestInMirror(buildId: string, deps: ApiDeps): Promise<string | null> {
  const known = await fromMirror(() => deps.mirror.findByBuildId(buildId)).catch(() => null);
  // A build whose row has no digest was not started by this API: it is somebody's, so the id is taken.
  return known === null ? null : (known.startDigest ?? 'unknown');
}

async function startOrCompare(spec: BuildSpec, deps: ApiDeps): Promise<void> {
  if ((await deps.builds.start(spec)) === 'started') return;
  const known = await deps.builds.describe(spec.workflowId);
  if (known?.startDigest !== spec.startDigest) throw taken(spec.buildId);
}

/**
 * Starts a build, once: the same request again finds the first one, also after its end.
 * @returns the build's workflow_id
 * @throws AppError `build_id_taken`, `model_unavailable`, `source_refused`, `temporal_unreachable`
 */
export async function startBuildOnce(request: StartRequest, deps: ApiDeps): Promise<string> {
  const { buildId, model, externalRoles, source } = request;
  const workflowId = workflowIdOf(buildId);
  const remembered = await digestInMirror(buildId, deps);
  if (remembered !== null) {
    if (remembered !== startDigest(request)) throw taken(buildId);
    return workflowId;
  }
  const simulated = requireModels(model, externalRoles, deps.settings.models);
  if (source?.kind === 'path') await allowedSourcePath(source.path, deps.settings.sources);
  await startOrCompare(await buildSpec(request, deps.settings, deps.artifacts, simulated), deps);
  return workflowId;
}
