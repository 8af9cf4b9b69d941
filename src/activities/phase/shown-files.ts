import { isJsonObject, type Json } from '../../machine/json.ts';
import type { Phase } from '../../machine/states.ts';
import { chooseFiles } from '../../prompts/choose-files.ts';
import { PHASES_WITH_FILES, type PromptInput } from '../../prompts/prompt.ts';
import type { PhaseInput } from '../contract.ts';
import type { Attempt } from './ask-role.ts';

/** Text of files that a prompt shows, some 30,000 tokens; the rest of the tree is named. */
const FILES_LIMIT_BYTES = 120_000;

export type ShownFiles = Pick<PromptInput, 'files' | 'tree'>;

/** The tree is there to be seen: phases before the implementation have one where the build began with existing code. */
export const seesTree = (phase: Phase, { base }: Pick<PhaseInput['build'], 'base'>): boolean =>
  PHASES_WITH_FILES.has(phase) || (base ?? null) !== null;

/** A result in words, without the contents of files: what they import says nothing about what is wanted. */
function wordsOf(result: Json): string {
  const text = JSON.stringify(result, (key, value: unknown) => (key === 'content' ? undefined : value)) ?? '';
  return text.replace(/\\[nrt]/g, ' ');
}

type Parts = Pick<PromptInput, 'requirements' | 'earlierResults' | 'feedback'>;

/** What was said about the work, most telling first: why it came back, what was handed on last, then the requirements. */
function tellingTexts({ requirements, earlierResults, feedback }: Parts): string[] {
  const reasons = feedback.toReversed();
  const rejected = reasons.flatMap((entry) => entry.rejected.map(({ result }) => wordsOf(result)));
  const earlier = earlierResults.toReversed().map(({ result }) => wordsOf(isJsonObject(result) ? result : [result]));
  return [...reasons.map(({ reason }) => reason), ...rejected, ...earlier, wordsOf(requirements)];
}

/** The tree as a prompt shows it: files that matter whole, and all by name where that is not all. */
export async function shownFiles({ deps, input, meter }: Attempt, parts: Promise<Parts>): Promise<ShownFiles> {
  const { head, spec } = input.build;
  if (head === null || !seesTree(input.phase, input.build)) return { files: null, tree: null };
  const { files, omitted } = await deps.workspaces.readFiles({
    workflowId: spec.workflowId,
    commit: head.commit,
    bundle: head.bundle,
    signal: meter.signal,
    limitBytes: FILES_LIMIT_BYTES,
    choose: async (tree) => chooseFiles({ tree, texts: tellingTexts(await parts), limitChars: FILES_LIMIT_BYTES }),
  });
  if (omitted.length === 0) return { files, tree: null };
  const named = files.map(({ path, content }) => ({ path, bytes: Buffer.byteLength(content) }));
  return { files, tree: [...named, ...omitted].sort((a, b) => (a.path < b.path ? -1 : 1)) };
}
