import { utf8Bytes } from '../machine/messages.ts';

const ELLIPSIS = '…';

/** Cuts at a character's end, so that the text stays valid UTF-8. */
export function clipBytes(text: string, limitBytes: number): string {
  if (text.length <= limitBytes && utf8Bytes(text) <= limitBytes) return text;
  let kept = '';
  let bytes = utf8Bytes(ELLIPSIS);
  for (const char of text) {
    bytes += utf8Bytes(char);
    if (bytes > limitBytes) return `${kept}${ELLIPSIS}`;
    kept += char;
  }
  return text;
}

/** Line breaks, control characters, and those that would turn the direction of the text behind them. */
const UNPRINTABLE = /[\p{Cc}\s\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

export const oneLine = (text: string): string => text.replace(UNPRINTABLE, ' ').trim();

/**
 * A text of others in Markdown: shown as it was written, in one line, and nothing of it is a link, a picture or HTML,
 * which the Web UI would all render. Backticks alone would end the code, so they are shown as apostrophes.
 */
export function quoted(text: string, limitBytes: number): string {
  const line = clipBytes(oneLine(text).replaceAll('`', "'"), limitBytes);
  return line === '' ? '(empty)' : `\`${line}\``;
}
