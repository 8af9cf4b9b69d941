import { lineEndsOf, withCrlf } from './line-ends.ts';
import { nearestPlace } from './nearest.ts';
import type { Edited } from './search-replace.ts';
import { type Hunk, parseDiff } from './unified-diff.ts';

const PLACES_SHOWN = 5;

/** The lines of a text, each with its line end. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
const bare = (line: string): string => line.replace(/\r?\n$/, '');

type Place = Readonly<{ ok: true; at: number } | { ok: false; fault: string }>;

function placesOf(lines: readonly string[], old: readonly string[], from: number): number[] {
  const places: number[] = [];
  for (let at = from; at + old.length <= lines.length; at += 1) {
    if (old.every((line, offset) => lines[at + offset] === line)) places.push(at);
  }
  return places;
}

function notFound(lines: readonly string[], { old }: Hunk, from: number): string {
  const withoutEnd = old.map((line, index) => (index === old.length - 1 ? bare(line) : line));
  if (placesOf(lines, withoutEnd, from).some((at) => at + old.length === lines.length)) {
    return 'the file ends without a line break: write "\\ No newline at end of file" below its last line';
  }
  if (placesOf(lines, old, 0).length > 0) return 'its lines stand before those of the hunk above it: order the hunks';
  return `its lines are not in the file; ${nearestPlace(lines.map(bare), old.map(bare))}`;
}

/** Where a hunk's lines stand, after the hunk before it. Where they stand at several places, the stated line decides. */
function placeOf(lines: readonly string[], hunk: Hunk, from: number): Place {
  const { old, line } = hunk;
  if (old.length === 0) {
    if (lines.length === 0) return { ok: true, at: 0 };
    return { ok: false, fault: 'it has no line that stays or goes: give some lines around what is added' };
  }
  const places = placesOf(lines, old, from);
  const [only] = places;
  if (only === undefined) return { ok: false, fault: notFound(lines, hunk, from) };
  if (places.length === 1) return { ok: true, at: only };
  const stated = line === null ? null : line - 1;
  if (stated !== null && places.includes(stated)) return { ok: true, at: stated };
  const shown = places.slice(0, PLACES_SHOWN).map((at) => at + 1);
  return {
    ok: false,
    fault: `its lines stand at ${places.length} places (lines ${shown.join(', ')}): give more of them`,
  };
}

/**
 * Applies a unified diff of one file. Every line that stays or goes must be in the file to the letter; only line numbers
 * may be wrong. In a file whose lines all end in CRLF the diff's plain line breaks are taken for such ones.
 */
export function applyDiff(content: string, diff: string, path: string): Edited {
  const parsed = parseDiff(diff.replace(/\r\n/g, '\n'), path);
  if (!parsed.ok) return parsed;
  const ends = lineEndsOf(content);
  const convert = (lines: readonly string[]): string[] => (ends === 'crlf' ? lines.map(withCrlf) : [...lines]);
  const lines = linesOf(content);
  const after: string[] = [];
  let from = 0;
  for (const given of parsed.hunks) {
    const hunk = { ...given, old: convert(given.old), now: convert(given.now) };
    const place = placeOf(lines, hunk, from);
    if (!place.ok) {
      const mixed = ends === 'mixed' ? ' (lines of this file end partly in CRLF and partly in LF: give it whole)' : '';
      return { ok: false, fault: `the hunk at line ${hunk.at} of \`diff\` does not fit: ${place.fault}${mixed}` };
    }
    after.push(lines.slice(from, place.at).join(''), hunk.now.join(''));
    from = place.at + hunk.old.length;
  }
  return { ok: true, content: after.join('') + lines.slice(from).join('') };
}
