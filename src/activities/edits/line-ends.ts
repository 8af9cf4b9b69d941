/** How the lines of a text end: all alike, or not. A text of one line without an end has `none`. */
export type LineEnds = 'none' | 'lf' | 'crlf' | 'mixed';

export function lineEndsOf(text: string): LineEnds {
  const all = text.split('\n').length - 1;
  const crlf = text.split('\r\n').length - 1;
  if (all === 0) return 'none';
  if (crlf === 0) return 'lf';
  return crlf === all ? 'crlf' : 'mixed';
}

/** A text whose lines end as those of a CRLF file do. */
export const withCrlf = (text: string): string => text.replace(/\r?\n/g, '\r\n');
