// One escape of serialised JSON, so that an escaped backslash before a `u` is not taken for an escape of its own.
// The group is what PostgreSQL refuses: NUL, and half of a surrogate pair (whole pairs are never escaped).
const ESCAPE = /\\(?:u(0000|d[89a-f][0-9a-f]{2})|[\s\S])/g;

/**
 * Serialises a value so that jsonb takes it. NUL and lone surrogates become U+FFFD: the API refuses them at the door,
 * but a model's words or a provider's name must never keep a build's rows out of the mirror for good.
 */
export function storableJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (!text.includes('\\u0000') && !text.includes('\\ud')) return text;
  return text.replace(ESCAPE, (whole: string, unstorable: string | undefined) =>
    unstorable === undefined ? whole : '\ufffd',
  );
}
