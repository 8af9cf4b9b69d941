const LIMIT_CHARS = 300;

/** What whoever ended a run said of it, behind a colon, on one line, cut, and without keys; nothing where nothing was said. */
export function quotedReason(told: string | null): string {
  const line = (told ?? '')
    .replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ')
    .replace(/\b(sk|pk|key)-[\w*-]{4,}/gi, '[key]')
    .replace(/\bBearer\s+\S+/gi, 'Bearer [key]')
    .replace(/(\w:\/\/)[^\s/@]*@/g, '$1[key]@')
    .trim();
  if (line === '') return '';
  const chars = [...line];
  return `: ${chars.length > LIMIT_CHARS ? `${chars.slice(0, LIMIT_CHARS).join('')}…` : line}`;
}
