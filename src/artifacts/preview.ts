/** The longest preview, in UTF-16 code units. */
export const PREVIEW_CHARS = 120;

// Enough for 120 characters of four bytes each, with room for what is removed.
const HEAD = 1024;

/**
 * The first words of a content as one clean line: line breaks and tabs become spaces, other control characters and lone
 * surrogates are removed (Postgres and JSON readers choke on them), and no surrogate pair is cut.
 */
export function previewOf(content: string | Uint8Array): string {
  const head =
    typeof content === 'string'
      ? content.slice(0, HEAD)
      : new TextDecoder().decode(content.subarray(0, HEAD), { stream: true });
  const clean = head
    .replace(/\s+/gu, ' ')
    .replace(/[\p{Cc}\p{Cs}]/gu, '')
    .trim();
  return clean.slice(0, PREVIEW_CHARS).replace(/[\ud800-\udbff]$/, '');
}
