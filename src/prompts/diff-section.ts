import { textBlock } from './blocks.ts';
import { firstChars, shareOut } from './fit.ts';

/** Room for the heading, the fences and the notes on what was cut. */
const FRAME_CHARS = 200;
const NOTE_CHARS = 60;

/** One part per file; lines of files begin with a sign of their own, so none can begin a part. */
const partsOf = (diff: string): string[] => diff.split(/^(?=diff --git )/m).filter((part) => part !== '');

/** What changed since the source, in at most about `limitChars` characters: big files are cut first, each with a note. */
export function diffSection(diff: string, limitChars: number): string {
  const parts = partsOf(diff);
  const shares = shareOut(
    parts.map(({ length }) => length + NOTE_CHARS),
    limitChars - FRAME_CHARS,
  );
  const shown = parts.map((part, index) => {
    const text = firstChars(part, Math.max(0, (shares[index] ?? 0) - NOTE_CHARS), '\n');
    return text.endsWith('\n') ? text : `${text}\n`;
  });
  return `## Diff\n${textBlock(shown.join(''))}`;
}
