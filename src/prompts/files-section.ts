import { isJsonObject, type Json } from '../machine/json.ts';
import { oneLine, textBlock } from './blocks.ts';
import { firstChars, fitText, greatestThatFits, shareOut } from './fit.ts';
import type { PromptFile } from './prompt-input.ts';

const PATH_LIMIT_CHARS = 300;
/** Room for the fences and the note of a file of which nothing is shown. */
const LEAST_BLOCK_CHARS = 100;

const headingOf = ({ path }: PromptFile): string => `### ${fitText(oneLine(path), PATH_LIMIT_CHARS)}\n`;
const leastOf = (file: PromptFile): number => headingOf(file).length + LEAST_BLOCK_CHARS;

/** A file's heading and content in at most `limitChars`, if the least of it fits. */
function fileBlock(file: PromptFile, limitChars: number): string {
  const render = (chars: number): string => headingOf(file) + textBlock(firstChars(file.content, chars, '\n'));
  if (file.content.length <= limitChars) {
    const whole = render(file.content.length);
    if (whole.length <= limitChars) return whole;
  }
  return render(
    Math.max(
      0,
      greatestThatFits(limitChars, (chars) => render(chars).length <= limitChars),
    ),
  );
}

/** What the section would need to show every file whole. */
export function filesNeed(files: readonly PromptFile[]): number {
  return files.reduce((sum, file) => sum + Math.max(leastOf(file), fileBlock(file, Infinity).length) + 2, 100);
}

/** The section's text in at most `limitChars`: big files are cut first; only when headings alone do not fit are files left out. */
export function filesSection(files: readonly PromptFile[], limitChars: number): string {
  let left = limitChars - 100;
  const listed = files.filter((file) => {
    left -= leastOf(file) + 2;
    return left >= 0;
  });
  const needs = listed.map((file) => Math.max(0, fileBlock(file, Infinity).length - leastOf(file)));
  const shares = shareOut(needs, Math.max(0, left));
  const blocks = listed.map((file, index) => fileBlock(file, leastOf(file) + (shares[index] ?? 0)));
  const missing = listed.length < files.length ? [`[… ${listed.length} of ${files.length} files shown]`] : [];
  return `## Files\n${[...blocks, ...missing].join('\n\n')}`;
}

/** A result without the contents of files that the prompt shows anyway, or that its edits tell: twice would only cost tokens. */
export function withoutShownFiles(result: Json, files: readonly PromptFile[] | null): Json {
  if (files === null || !isJsonObject(result) || !Array.isArray(result.files)) return result;
  const shown = new Map(files.map(({ path, content }) => [path, content]));
  const edits: readonly Json[] = Array.isArray(result.edits) ? result.edits : [];
  const edited = new Set(edits.map((edit) => (isJsonObject(edit) ? edit.path : null)));
  const listed = result.files.map((file: Json): Json => {
    if (!isJsonObject(file) || typeof file.path !== 'string' || typeof file.content !== 'string') return file;
    if (shown.get(file.path) === file.content) return { ...file, content: '[the same as under "Files"]' };
    return edited.has(file.path) ? { ...file, content: '[what it was, with the edits made]' } : file;
  });
  return { ...result, files: listed };
}
