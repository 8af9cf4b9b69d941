/**
 * Text of others as one line that can be shown, logged and stored: no control characters, no half surrogate pairs (Postgres
 * takes neither), at most `limitChars`.
 */
export function printable(text: string, limitChars: number): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  const shown = line.length > limitChars ? `${line.slice(0, limitChars)}…` : line;
  return shown.replace(/\p{Cs}/gu, '');
}
