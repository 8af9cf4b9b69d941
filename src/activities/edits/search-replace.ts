import { lineEndsOf, withCrlf } from './line-ends.ts';
import { nearestPlace } from './nearest.ts';

/** A text after an edit, or why the edit does not fit it: a sentence for the author of the edit. */
export type Edited = Readonly<{ ok: true; content: string } | { ok: false; fault: string }>;

const PLACES_SHOWN = 5;
/** More are not counted: a search that repeats itself would be looked for at every letter. */
const PLACES_LIMIT = 20;

const lineAt = (content: string, index: number): number => content.slice(0, index).split('\n').length;

function placesOf(content: string, search: string): number[] {
  const places: number[] = [];
  for (
    let at = content.indexOf(search);
    at !== -1 && places.length < PLACES_LIMIT;
    at = content.indexOf(search, at + 1)
  )
    places.push(at);
  return places;
}

function notFound(content: string, search: string): string {
  if (lineEndsOf(content) === 'mixed' && /[\r\n]/.test(search)) {
    return '`search` is not in the file, whose lines end partly in CRLF and partly in LF: search within one line, or give the file whole in `files`';
  }
  if (search.endsWith('\n') && content.endsWith(search.replace(/\r?\n$/, ''))) {
    return '`search` ends with a line break, but the file ends without one: leave it out';
  }
  const lines = content.split(/\r?\n/);
  return `\`search\` is not in the file; ${nearestPlace(lines, search.replace(/\r?\n$/, '').split(/\r?\n/))}`;
}

/**
 * Replaces the one place at which `search` stands, to the letter. In a file whose lines all end in CRLF a `search` and a
 * `replace` with plain line breaks are taken for such lines: nobody sees the difference in a prompt.
 */
export function searchAndReplace(content: string, search: string, replace: string): Edited {
  if (search === '') return { ok: false, fault: '`search` is empty: give the lines that are to be replaced' };
  const crlf = lineEndsOf(content) === 'crlf';
  const sought = crlf ? withCrlf(search) : search;
  const places = placesOf(content, sought);
  const [place] = places;
  if (place === undefined) return { ok: false, fault: notFound(content, search) };
  if (places.length > 1) {
    const shown = places.slice(0, PLACES_SHOWN).map((at) => lineAt(content, at));
    const more = places.length > PLACES_SHOWN ? ', …' : '';
    const where = `at lines ${shown.join(', ')}${more}`;
    const times = places.length < PLACES_LIMIT ? `${places.length}` : `at least ${PLACES_LIMIT}`;
    return {
      ok: false,
      fault: `\`search\` is ${times} times in the file (${where}): give more lines around the one you mean`,
    };
  }
  const put = crlf ? withCrlf(replace) : replace;
  return { ok: true, content: content.slice(0, place) + put + content.slice(place + sought.length) };
}
