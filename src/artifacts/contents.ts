import { attemptOf, type Content } from '../machine/build.ts';
import type { Json } from '../machine/json.ts';
import { type BuildSnapshot, conversationOf, earlierResults } from '../machine/snapshot.ts';
import type { Phase } from '../machine/states.ts';
import type { PromptInput } from '../prompts/prompt.ts';
import type { ArtifactStore } from './artifact-store.ts';

/** JSON up to this size travels whole; larger JSON goes to the store, so that histories stay small. */
const INLINE_LIMIT_BYTES = 1000;

/** Keeps JSON: whole when it is small, else in the store. */
export async function keepContent(store: Pick<ArtifactStore, 'put'>, value: Json): Promise<Content> {
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) <= INLINE_LIMIT_BYTES) return { kind: 'inline', value };
  return { kind: 'artifact', ref: await store.put(text) };
}

/** Reads content back, wherever it is. Fails with `artifact_missing` when the store has lost it. */
export async function loadContent(store: ArtifactStore, content: Content): Promise<Json> {
  if (content.kind === 'inline') return content.value;
  return JSON.parse((await store.get(content.ref.sha256)).toString('utf8')) as Json;
}

type BuildParts = Omit<PromptInput, 'driver' | 'files' | 'tree' | 'diff' | 'testRun'>;

/** All that a prompt shows of the build itself; what lies in the store is read from there. */
export async function loadPromptParts(store: ArtifactStore, build: BuildSnapshot, phase: Phase): Promise<BuildParts> {
  const { workflowId, buildId, coverageMin } = build.spec;
  const load = (content: Content): Promise<Json> => loadContent(store, content);
  const results = earlierResults(build, phase).map(async (r) => ({ phase: r.phase, result: await load(r.content) }));
  const turns = conversationOf(build).map(async ({ content, aiResponse, ...turn }) => ({
    ...turn,
    content: await load(content),
    ...(aiResponse === undefined ? {} : { aiResponse: await load(aiResponse) }),
  }));
  const feedback = build.feedback
    .filter(({ to }) => to === phase)
    .map(async (entry) => {
      const rejected = entry.rejected.map(async ({ phase: from, data, full }) => ({
        phase: from,
        result: full ? await load({ kind: 'artifact', ref: full }) : data,
      }));
      return { ...entry, rejected: await Promise.all(rejected) };
    });
  return {
    workflowId,
    buildId,
    coverageMin,
    phase,
    attempt: attemptOf(build, phase),
    requirements: await load(build.spec.requirements),
    earlierResults: await Promise.all(results),
    conversation: await Promise.all(turns),
    feedback: await Promise.all(feedback),
  };
}
