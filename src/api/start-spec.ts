import { z } from 'zod';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { keepContent } from '../artifacts/contents.ts';
import { AppError } from '../errors.ts';
import { type BuildSpec, RULES } from '../machine/build.ts';
import type { Json } from '../machine/json.ts';
import type { Source } from '../machine/source.ts';
import { ROLES } from '../machine/states.ts';
import { canonicalJson, digestOf } from './digest.ts';
import { buildId, jsonObject, model, requirements, role, userId } from './fields.ts';
import type { BuildSettings } from './ports.ts';
import { source, sourceOf } from './source.ts';
import { workflowIdOf } from './workflow-id.ts';

/** The largest requirements and metadata, in bytes of JSON each. */
const REQUIREMENTS_LIMIT_BYTES = 256 * 1024;

const rolesFault = `must be a list of at most ${ROLES.length} roles: ${ROLES.join(', ')}`;
/** A list that is too long is refused as a whole: looking at each of its 200,000 parts would hold up all other calls. */
const fewRoles = (given: unknown): unknown => (Array.isArray(given) && given.length > ROLES.length ? null : given);

const percentFault = 'must be a number from 0 to 100';

export const startBody = z
  .strictObject({
    build_id: buildId,
    user_id: userId,
    requirements,
    metadata: jsonObject.nullish().meta({
      description: "Facts of the caller's own about the build, of any shape. At most 256 kB of JSON.",
    }),
    model,
    external_roles: z
      .preprocess(fewRoles, z.array(role, { error: rolesFault }).meta({ maxItems: ROLES.length }))
      .nullish()
      .meta({
        description: 'Roles that people or outside agents play: their phases wait for `advance`.',
        examples: [['test_auditor']],
      }),
    coverage_min: z.number({ error: percentFault }).min(0, percentFault).max(100, percentFault).nullish().meta({
      description:
        'The test coverage in percent below which testing sends the build back; never less than the configuration asks for.',
    }),
    source,
  })
  .meta({ id: 'StartRequest' });

export type StartBody = z.infer<typeof startBody>;

/** What a start asks for, with defaults in place; `coverageMin` is null where none was asked for. */
export type StartRequest = Readonly<{
  projectId: string;
  buildId: string;
  userId: string;
  requirements: Json;
  metadata: Json | null;
  model: string | null;
  externalRoles: BuildSpec['externalRoles'];
  coverageMin: number | null;
  source: Source | null;
}>;

/** @throws AppError `body_too_large` */
export function startRequest(projectId: string, body: StartBody): StartRequest {
  const request = {
    projectId,
    buildId: body.build_id,
    userId: body.user_id,
    requirements: body.requirements as Json,
    metadata: (body.metadata ?? null) as Json | null,
    model: body.model ?? null,
    externalRoles: ROLES.filter((one) => body.external_roles?.includes(one) === true),
    coverageMin: body.coverage_min ?? null,
    source: sourceOf(body.source),
  };
  for (const at of ['requirements', 'metadata'] as const) {
    const bytes = Buffer.byteLength(JSON.stringify(request[at]), 'utf8');
    if (bytes > REQUIREMENTS_LIMIT_BYTES) {
      const fault = `has ${bytes} bytes of JSON; at most ${REQUIREMENTS_LIMIT_BYTES} (256 kB) are taken`;
      throw new AppError('body_too_large', `${at} ${fault}. Shorten it, or refer to the rest by a URL.`, {
        faults: [{ at, fault }],
      });
    }
  }
  return request;
}

/** Equal for starts that ask for the same, whatever the order of their keys. */
export function startDigest(request: StartRequest): string {
  const { projectId, userId, requirements: asked, metadata, model, externalRoles, coverageMin, source } = request;
  return digestOf(
    canonicalJson({
      project: projectId,
      user: userId,
      requirements: asked,
      metadata,
      model,
      external_roles: externalRoles.toSorted(),
      coverage_min: coverageMin,
      // Left out where there is none, so that the digests of builds from before there were sources stay as they are.
      ...(source === null ? {} : { source }),
    }),
  );
}

/** Makes what the workflow is started with; large content is stored first. */
export async function buildSpec(
  request: StartRequest,
  settings: BuildSettings,
  artifacts: Pick<ArtifactStore, 'put'>,
  simulated: boolean,
): Promise<BuildSpec> {
  const { projectId, buildId, userId, model, externalRoles, metadata } = request;
  return {
    workflowId: workflowIdOf(buildId),
    buildId,
    projectId,
    userId,
    requirements: await keepContent(artifacts, request.requirements),
    metadata: metadata === null ? null : await keepContent(artifacts, metadata),
    model,
    ...(model === null ? { defaultModels: settings.models.byRole } : {}),
    externalRoles,
    coverageMin: Math.max(settings.coverageMin, request.coverageMin ?? 0),
    maxSendBacks: settings.maxSendBacks,
    activeTimeoutMs: settings.activeTimeoutMs,
    startDigest: startDigest(request),
    simulated,
    rules: RULES,
    ...(settings.mayRunAnyFiles === true ? { mayRunAnyFiles: true } : {}),
    ...(settings.announces === true ? { announces: true } : {}),
    ...(request.source === null ? {} : { source: request.source }),
  };
}
