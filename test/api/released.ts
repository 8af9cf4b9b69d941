import { createHash } from 'node:crypto';
import { PHASES } from '../../src/machine/states.ts';
import { complete, type Served } from './serve.ts';

export const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
export const PARTS = ['first part, ', 'second part, ', 'third'] as const;
export const ARCHIVE = PARTS.join('');

type More = Readonly<{ by?: 'llm' | 'external'; workflowId?: string; archive?: string }>;

/** A build that the models completed; its archive lies in three parts. */
export async function released(
  api: Served,
  buildId = 'build-1',
  { by = 'llm', workflowId, archive = ARCHIVE }: More = {},
) {
  const id = await api.startExternal(buildId);
  await complete(api, id, PHASES);
  const stored = await Promise.all(PARTS.map((part) => api.artifacts.put(part)));
  const parts = stored.map(({ sha256: sum, bytes }) => ({ sha256: sum, bytes }));
  const name = 'build-1-1.0.0.tar.gz';
  const about = { name, kind: 'archive', media_type: 'application/gzip', bytes: archive.length };
  const manifest = {
    workflow_id: workflowId ?? id,
    version: '1.0.0',
    artifacts: [{ ...about, sha256: sha256(ARCHIVE), parts }],
  };
  const kept = await api.artifacts.put(JSON.stringify(manifest));
  const held = api.heldBuild(id);
  const { deployment } = held.build.results;
  if (!deployment) throw new Error('not deployed');
  const data = {
    ...deployment.data,
    version: '1.0.0',
    release_tag: 'release/1.0.0-a1',
    release: { manifest: kept.sha256 },
  };
  held.build = { ...held.build, results: { ...held.build.results, deployment: { ...deployment, by, data } } };
  api.mirror.flush(held);
  return {
    id,
    held,
    manifest: kept,
    list: `/api/workflows/${id}/artifacts`,
    url: `/api/workflows/${id}/artifacts/${name}`,
  };
}
