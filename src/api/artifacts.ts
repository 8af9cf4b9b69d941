import { z } from 'zod';
import { AppError } from '../errors.ts';
import { workflowParams } from './fields.ts';
import { findRelease, readArtifact } from './release-artifacts.ts';
import { artifactsReply } from './replies.ts';
import { defineDownload, defineRoute } from './route.ts';

const NAME = '^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$';
const nameFault = 'must be the name of a download, as the list of artifacts has it';
const artifactName = z
  .string({ error: nameFault })
  .regex(new RegExp(NAME), { error: nameFault })
  .meta({ type: 'string', pattern: NAME, description: 'The name of a download.', examples: ['release.json'] });

const addressOf = (workflowId: string, name: string): string =>
  `/api/workflows/${encodeURIComponent(workflowId)}/artifacts/${encodeURIComponent(name)}`;

export const artifacts = defineRoute({
  method: 'get',
  path: '/api/workflows/:workflow_id/artifacts',
  operationId: 'workflowArtifacts',
  summary: 'What a build released: its downloads.',
  description:
    'The archive of the product, the release notes, the manifest (`release.json`) and, where there are such, the report of the tests and the change to the code that the build began with. The list is empty until the build is complete, and again when a release was taken back; `reason` says why.',
  params: workflowParams,
  reply: artifactsReply,
  errors: ['not_found', 'mirror_unavailable', 'temporal_unreachable'],
  handle: async ({ params }, deps) => {
    const { workflow_id: workflowId } = params;
    const found = await findRelease(workflowId, deps);
    return {
      workflow_id: workflowId,
      release: found.release,
      reason: found.reason,
      artifacts: found.artifacts.map(({ name, kind, media_type, bytes, sha256 }) => {
        return { name, kind, media_type, bytes, sha256, url: addressOf(workflowId, name) };
      }),
    };
  },
});

export const artifactDownload = defineDownload({
  path: '/api/workflows/:workflow_id/artifacts/:name',
  operationId: 'workflowArtifact',
  summary: 'One download of a release, whole or in part.',
  description:
    'A range may be asked for with `Range: bytes=<first>-<last>`, so that a download that was cut off goes on; `If-Range` with the `ETag` of its beginning makes sure that it is still the same. Of several ranges at once, or of another unit, the whole is sent. The `ETag` is the sha256 of the whole.',
  params: workflowParams.extend({ name: artifactName }),
  errors: ['not_found', 'mirror_unavailable', 'temporal_unreachable'],
  find: async ({ params }, deps) => {
    const { workflow_id: workflowId, name } = params;
    const found = await findRelease(workflowId, deps);
    const artifact = found.artifacts.find((one) => one.name === name);
    if (artifact === undefined) {
      const why = found.reason ?? 'The list of artifacts names those that there are.';
      throw new AppError('not_found', `The build has no download ${JSON.stringify(name)}. ${why}`);
    }
    const { media_type: mediaType, bytes, sha256 } = artifact;
    return { name, mediaType, bytes, sha256, read: (range) => readArtifact(artifact, range, deps.artifacts) };
  },
});
