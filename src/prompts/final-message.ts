import type { Json } from '../machine/json.ts';
import { answerSection } from './answer-section.ts';
import { jsonBlock, jsonText, oneLine } from './blocks.ts';
import { diffSection } from './diff-section.ts';
import { filesNeed, filesSection, withoutShownFiles } from './files-section.ts';
import { fitJson, fitText, jsonChars, shareOut } from './fit.ts';
import type { PromptFeedback, PromptInput } from './prompt-input.ts';
import { treeSection } from './tree-section.ts';
import { criteriaSection } from './verification-view.ts';

const ID_LIMIT_CHARS = 200;
const REASONS_LIMIT_CHARS = 40_000;
const TEST_RUN_LIMIT_CHARS = 20_000;
const TREE_LIMIT_CHARS = 12_000;
const DIFF_LIMIT_CHARS = 40_000;
/** Files are cut down to this before earlier results are cut at all. */
const FILES_KEPT_CHARS = 50_000;
/** A result always gets room for its heading, its fences and the note that it was cut. */
const LEAST_RESULT_CHARS = 150;
const LEAST_FILES_CHARS = 2_000;
/** Headings, fences and blank lines of the sections that are always there. */
const FRAME_CHARS = 500;

type Section = string | null;

const headSection = ({ phase, attempt, buildId }: PromptInput): string =>
  `# Phase: ${phase}\n# Attempt: ${attempt}\n# Build: ${fitText(oneLine(buildId), ID_LIMIT_CHARS)}`;

function reasonLines(feedback: readonly PromptFeedback[]): string[] {
  const reasons = feedback.map(({ reason }) => oneLine(reason));
  const shares = shareOut(
    reasons.map(({ length }) => length),
    REASONS_LIMIT_CHARS,
  );
  return feedback.map(({ kind, from, attempt }, index) => {
    const reason = fitText(reasons[index] ?? '', shares[index] ?? 0);
    return `- ${kind} from ${from}, attempt ${attempt}: ${reason}`;
  });
}

/** The results before this phase and the rejected ones, in the order in which they are shown. */
function allResults({ earlierResults, feedback, files }: PromptInput): Json[] {
  const results = [...earlierResults, ...feedback.flatMap(({ rejected }) => rejected)];
  return results.map(({ result }) => withoutShownFiles(result, files));
}

function earlierSection({ earlierResults }: PromptInput, results: readonly Json[]): Section {
  if (earlierResults.length === 0) return null;
  const blocks = earlierResults.map(({ phase }, index) => `### ${phase}\n${jsonBlock(results[index] ?? null)}`);
  return `## Earlier results\n${blocks.join('\n\n')}`;
}

function sentBackSection({ feedback }: PromptInput, lines: readonly string[], rejected: readonly Json[]): Section {
  if (feedback.length === 0) return null;
  let next = 0;
  const entries = feedback.map((entry, index) => {
    const blocks = entry.rejected.map(({ phase }) => {
      const block = `### rejected: ${phase}\n${jsonBlock(rejected[next] ?? null)}`;
      next += 1;
      return block;
    });
    return [lines[index] ?? '', ...blocks].join('\n\n');
  });
  return `## Sent back\n${entries.join('\n\n')}`;
}

const titled = (heading: string, value: Json): string => `${heading}\n${jsonBlock(value)}`;

/**
 * The last user message, in at most `limitChars` characters (100 000 are always enough to keep every section). Room is
 * given first to what the role cannot do without: reasons and test run, then the requirements, results, files.
 */
export function finalMessage(input: PromptInput, limitChars: number): string {
  const { earlierResults, files, tree, diff, testRun } = input;
  const head = headSection(input);
  const answer = answerSection(input);
  const lines = reasonLines(input.feedback);
  const measured = testRun === null ? null : titled('## Test run', fitJson(testRun, TEST_RUN_LIMIT_CHARS));
  const named = tree === null ? null : treeSection(tree, files ?? [], TREE_LIMIT_CHARS);
  const criteria = criteriaSection(input);
  const changes = diff === null ? null : diffSection(diff, DIFF_LIMIT_CHARS);
  const results = allResults(input);
  const needs = results.map((result) => jsonChars(result, limitChars) + LEAST_RESULT_CHARS);
  const needOfFiles = files === null ? 0 : filesNeed(files);

  const fixed = [head, answer, ...lines, measured ?? '', named ?? '', criteria ?? '', changes ?? ''].reduce(
    (sum, { length }) => sum + length + 2,
    FRAME_CHARS,
  );
  let left = limitChars - fixed;
  const least = results.length * LEAST_RESULT_CHARS + Math.min(needOfFiles, LEAST_FILES_CHARS);
  const requirements = titled('## Requirements', fitJson(input.requirements, left - least));
  left -= requirements.length;
  const shares = shareOut(needs, left - Math.min(needOfFiles, FILES_KEPT_CHARS, Math.floor(left / 2)));
  const shown = results.map((result, index) => fitJson(result, (shares[index] ?? 0) - LEAST_RESULT_CHARS));
  left -= shown.reduce((sum: number, result) => sum + jsonText(result).length + LEAST_RESULT_CHARS, 0);

  const sections: Section[] = [
    head,
    requirements,
    criteria,
    earlierSection(input, shown),
    sentBackSection(input, lines, shown.slice(earlierResults.length)),
    named,
    changes,
    files === null || files.length === 0 ? null : filesSection(files, left),
    measured,
    answer,
  ];
  return sections.filter((section) => section !== null).join('\n\n');
}
