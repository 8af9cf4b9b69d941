// Letters that Unicode does not take apart into a base letter and a mark.
const WHOLE_LETTERS = new Map([
  ['ß', 'ss'],
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['ø', 'o'],
  ['đ', 'd'],
  ['ł', 'l'],
  ['þ', 'th'],
]);

/**
 * Turns a title into a slug: a to z, 0 to 9 and single hyphens between words.
 * With maxLength, whole words are dropped from the end until it fits; a first word that is too long is cut.
 */
export function slugify(title, { maxLength = Number.POSITIVE_INFINITY } = {}) {
  if (typeof title !== 'string') throw new TypeError(`a title must be a string, not ${typeof title}`);
  const plain = title
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[ßæœøđłþ]/g, (letter) => WHOLE_LETTERS.get(letter))
    .replace(/['’]/g, '');
  return shorten(plain.match(/[a-z0-9]+/g) ?? [], maxLength);
}

/** Gives the title's slug, with -2, -3 … behind it where the slug is taken. */
export function uniqueSlug(title, taken) {
  const slug = slugify(title);
  let candidate = slug;
  for (let n = 2; taken.has(candidate); n += 1) candidate = `${slug}-${n}`;
  return candidate;
}

function shorten([first = '', ...rest], maxLength) {
  let slug = first.slice(0, maxLength);
  for (const word of rest) {
    const longer = `${slug}-${word}`;
    if (longer.length > maxLength) break;
    slug = longer;
  }
  return slug;
}
