import { criteriaOf } from '../machine/criteria.ts';
import { isJsonObject, type Json } from '../machine/json.ts';
import { jsonBlock } from './blocks.ts';
import { withoutShownFiles } from './files-section.ts';
import { fitJson } from './fit.ts';
import type { PromptInput } from './prompt-input.ts';

const CRITERIA_LIMIT_CHARS = 20_000;

/** Every line with its number before it, so that nobody has to count to name one. */
const numbered = (content: string): string => {
  const lines = content.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, index) => `${index + 1}| ${line}\n`).join('');
};

/** What the code writer hands on beside files is its own word on its own work. */
const isFiles = (result: Json): boolean => isJsonObject(result) && result.code === undefined;

/**
 * A prompt of verification as its role is to see it: the files with numbered lines, and nothing that the code writer says
 * of them, so that they are judged by what they are. Where the work is text alone, the text stays: it is the work.
 */
export function verificationView(input: PromptInput): PromptInput {
  const { phase, files } = input;
  if (phase !== 'verification' || files === null || files.length === 0) return input;
  const own = (from: string, result: Json): boolean => from === 'implementation' && isFiles(result);
  return {
    ...input,
    earlierResults: input.earlierResults
      .filter((earlier) => !own(earlier.phase, earlier.result))
      .map((earlier) => ({ ...earlier, result: withoutShownFiles(earlier.result, files) })),
    conversation: input.conversation.filter(({ phase: from, content }) => !own(from, content)),
    files: files.map(({ path, content }) => ({ path, content: numbered(content) })),
  };
}

/** The success criteria as verification is asked for them, by number; null in other phases, and where there are none. */
export function criteriaSection({ phase, earlierResults }: PromptInput): string | null {
  if (phase !== 'verification') return null;
  const results = Object.fromEntries(earlierResults.map((earlier) => [earlier.phase, earlier.result]));
  const listed = criteriaOf(results).map((criterion, index) => ({ number: index + 1, criterion }));
  return listed.length === 0 ? null : `## Success criteria\n${jsonBlock(fitJson(listed, CRITERIA_LIMIT_CHARS))}`;
}
