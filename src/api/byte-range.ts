/** Bytes of a content, from the first to the last, both counted from 0. */
export type ByteRange = Readonly<{ first: number; last: number }>;

/** `whole`: there is no Range header that is to be honoured. */
export type AskedRange = Readonly<{ kind: 'whole' } | { kind: 'part'; range: ByteRange } | { kind: 'none' }>;

const NUMBER = '(\\d{1,15})';
const ONE_RANGE = new RegExp(`^bytes=(?:${NUMBER}-${NUMBER}?|-${NUMBER})$`, 'i');

/**
 * Reads the Range header of a call for a content of `bytes` (RFC 9110, 14.2). Other units, several ranges at once and what
 * is no range at all are as good as none: the whole content answers them. `none` is a range of which nothing is there.
 *
 * @param ifRange the If-Range header: a range is honoured for the very content alone that this names by its tag
 */
export function askedRange(
  range: string | undefined,
  ifRange: string | undefined,
  { bytes, tag }: Readonly<{ bytes: number; tag: string }>,
): AskedRange {
  const read = ONE_RANGE.exec(range?.replaceAll(' ', '') ?? '');
  if (read === null || (ifRange !== undefined && ifRange !== tag)) return { kind: 'whole' };
  const [, from, to, suffix] = read;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), bytes);
    return length === 0 ? { kind: 'none' } : { kind: 'part', range: { first: bytes - length, last: bytes - 1 } };
  }
  const first = Number(from);
  const last = to === undefined ? bytes - 1 : Math.min(Number(to), bytes - 1);
  // An end before the beginning makes a header no range.
  if (to !== undefined && Number(to) < first) return { kind: 'whole' };
  return first >= bytes ? { kind: 'none' } : { kind: 'part', range: { first, last } };
}
