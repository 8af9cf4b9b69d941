import { clipText } from '../../machine/json.ts';

const LINE_LIMIT_CHARS = 100;
/** Lines of a file that are compared; a longer file's rest is not looked at. */
const LINES_LIMIT = 5_000;
/** Below this two lines have nothing in common that would help. */
const LEAST_LIKENESS = 0.5;

/** A line as it can be quoted: tabs and line ends are visible in it. */
export const quoted = (line: string): string =>
  JSON.stringify(line.length > LINE_LIMIT_CHARS ? `${clipText(line, LINE_LIMIT_CHARS)}…` : line);

const squeezed = (line: string): string => line.replace(/\s+/g, ' ').trim();

function pairsOf(text: string): ReadonlyMap<string, number> {
  const pairs = new Map<string, number>();
  for (let at = 0; at + 1 < text.length; at += 1) {
    const pair = text.slice(at, at + 2);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}

/** What a line is worth that merely contains the sought one: a long line contains much by chance. */
const CONTAINED = 0.8;

/**
 * How alike a line is to the sought one, from 0 to 1: by the pairs of letters they share (Dice's coefficient), or by how
 * much of the sought one it contains, which may be a part of a line.
 */
function likeness(sought: ReadonlyMap<string, number>, line: ReadonlyMap<string, number>): number {
  let shared = 0;
  let wanted = 0;
  let total = 0;
  for (const count of sought.values()) wanted += count;
  for (const [pair, count] of line) {
    total += count;
    shared += Math.min(count, sought.get(pair) ?? 0);
  }
  if (wanted === 0) return 0;
  return Math.max((2 * shared) / (wanted + total), (CONTAINED * shared) / wanted);
}

/**
 * Where in a file the wanted lines may have been meant, in words for the author of the edit: a place that differs in white
 * space only, else the line that is most like the first wanted one. Line numbers count from 1.
 */
export function nearestPlace(lines: readonly string[], wanted: readonly string[]): string {
  const sought = wanted.map(squeezed);
  const start = sought.findIndex((line) => line !== '');
  if (start === -1) return 'the lines sought are blank';
  const first = sought[start] ?? '';
  const known = lines.slice(0, LINES_LIMIT).map(squeezed);
  const same = known.findIndex((_, at) => sought.every((line, offset) => known[at + offset] === line));
  if (same !== -1) {
    const at = same + start;
    return `line ${at + 1} differs only in white space: it is ${quoted(lines[at] ?? '')}`;
  }
  const pairs = pairsOf(first);
  let best = { at: -1, score: LEAST_LIKENESS };
  for (const [at, line] of known.entries()) {
    const score = line === first ? 1 : likeness(pairs, pairsOf(line.slice(0, 400)));
    if (score > best.score) best = { at, score };
  }
  if (best.at === -1) return 'nothing in the file is like it';
  if (best.score < 1) return `the nearest line is ${best.at + 1}: ${quoted(lines[best.at] ?? '')}`;
  const differs = sought.findIndex((line, offset) => offset > start && known[best.at - start + offset] !== line);
  const at = best.at - start + differs;
  const is = at < lines.length ? `is ${quoted(lines[at] ?? '')}` : 'is past the end of the file';
  return `it begins like line ${best.at + 1}, but then line ${at + 1} ${is}, not ${quoted(wanted[differs] ?? '')}`;
}
