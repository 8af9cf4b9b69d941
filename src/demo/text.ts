import { stripVTControlCharacters } from 'node:util';

/** Everything a terminal shows in two columns: East Asian wide and full-width characters, and emoji. */
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;
const MARK = /\p{M}/u;

/**
 * Text of others as one line that is safe to print: no escape sequences, no control or invisible formatting characters
 * (they could move the cursor or reverse what is read), no half surrogate pairs.
 */
export const clean = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\p{Cf}\p{Cs}]/gu, '')
    .trim();

const widthOfChar = (char: string): number => (MARK.test(char) ? 0 : WIDE.test(char) ? 2 : 1);

/** Columns that a clean text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of text) width += widthOfChar(char);
  return width;
}

/** The longest beginning of a text that takes at most `width` columns. */
function beginning(text: string, width: number): string {
  let taken = 0;
  let kept = '';
  for (const char of text) {
    taken += widthOfChar(char);
    if (taken > width) break;
    kept += char;
  }
  return kept;
}

/** Cuts a text to a width; the cut is shown. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return width < 1 ? '' : `${beginning(text, width - 1).trimEnd()}…`;
}

export const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));

export const padStart = (text: string, width: number): string => ' '.repeat(Math.max(0, width - widthOf(text))) + text;

/** Breaks a clean text at its spaces, longer words anywhere; what does not fit into `maxLines` is cut. */
export function wrap(text: string, width: number, maxLines: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest !== '' && lines.length < maxLines - 1 && widthOf(rest) > width) {
    const most = beginning(rest, Math.max(2, width));
    const space = rest[most.length] === ' ' ? most.length : most.lastIndexOf(' ');
    const line = space > 0 ? most.slice(0, space) : most;
    lines.push(line);
    rest = rest.slice(line.length).trimStart();
  }
  return rest === '' ? lines : [...lines, cut(rest, width)];
}
