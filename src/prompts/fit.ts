import { isJsonObject, type Json, type JsonObject } from '../machine/json.ts';
import { jsonText } from './blocks.ts';

const cutNote = (shown: number, total: number): string => `[… cut, ${shown} of ${total} characters shown]`;

/** The first characters of a text and a note on what is missing; half a surrogate pair is never left. */
export function firstChars(text: string, chars: number, separator = ' '): string {
  if (text.length <= chars) return text;
  const shown = text.slice(0, chars).replace(/[\uD800-\uDBFF]$/, '');
  return `${shown}${separator}${cutNote(shown.length, text.length)}`;
}

/** A text of at most `limitChars` characters, its note on what is missing included; the note alone is always given. */
export function fitText(text: string, limitChars: number): string {
  if (text.length <= limitChars) return text;
  return firstChars(text, Math.max(0, limitChars - cutNote(text.length, text.length).length - 1));
}

/** The greatest number from 0 to `most` that fits, or -1 when not even 0 does. */
export function greatestThatFits(most: number, fits: (n: number) => boolean): number {
  let low = -1;
  let high = Math.max(0, most);
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function clipStrings(value: Json, chars: number): Json {
  if (typeof value === 'string') return firstChars(value, chars);
  if (Array.isArray(value)) return value.map((item: Json) => clipStrings(item, chars));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, clipStrings(child, chars)]));
}

/**
 * At least how long the JSON is when strings are cut to `chars`, counted no further than past `limitChars`: results may
 * have megabytes, and writing their JSON only to see that it is too long would block the process.
 */
function leastChars(value: Json, chars: number, limitChars: number): number {
  if (typeof value === 'string') return Math.min(value.length, chars) + 2;
  if (typeof value !== 'object' || value === null) return 1;
  let sum = 2;
  for (const key in value) {
    if (sum > limitChars) break;
    sum += leastChars((value as JsonObject)[key] ?? null, chars, limitChars - sum);
  }
  return sum;
}

/** The length of a value's JSON, or Infinity when it is over the limit. */
export function jsonChars(value: Json, limitChars: number, indent = 2): number {
  if (leastChars(value, Infinity, limitChars) > limitChars) return Infinity;
  const { length } = jsonText(value, indent);
  return length > limitChars ? Infinity : length;
}

/**
 * A value whose JSON has at most `limitChars` characters: the longest strings are cut first, so that its shape and short
 * fields stay; where that is not enough, the beginning of its JSON as one string. The note on the cut is always given.
 */
export function fitJson(value: Json, limitChars: number): Json {
  if (jsonChars(value, limitChars) <= limitChars) return value;
  const fits = (chars: number): boolean =>
    leastChars(value, chars, limitChars) <= limitChars && jsonText(clipStrings(value, chars)).length <= limitChars;
  const chars = greatestThatFits(limitChars, fits);
  if (chars >= 0) return clipStrings(value, chars);
  const whole = jsonText(value);
  const start = greatestThatFits(limitChars, (n) => jsonText(firstChars(whole, n)).length <= limitChars);
  return firstChars(whole, Math.max(0, start));
}

/** Shares a budget out: whoever needs less than an even share gets all it needs, the rest is even among the greater. */
export function shareOut(needs: readonly number[], budget: number): number[] {
  const shares = needs.map(() => 0);
  const bySize = needs.map((need, index) => ({ need, index })).sort((a, b) => a.need - b.need);
  let left = Math.max(0, budget);
  for (const [place, { need, index }] of bySize.entries()) {
    const share = Math.min(need, Math.floor(left / (bySize.length - place)));
    shares[index] = share;
    left -= share;
  }
  return shares;
}
