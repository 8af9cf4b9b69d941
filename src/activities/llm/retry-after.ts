/** A provider that asks for more is asked again after this; the retry policy bounds how often. */
const RETRY_AFTER_LIMIT_MS = 60_000;

/**
 * What a response asks to wait, in milliseconds: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date (taken
 * against the response's own clock where it tells it). Undefined when it asks for nothing, nonsense or no time at all.
 */
export function retryAfterMs(headers: Headers | undefined): number | undefined {
  const inMs = numeric(headers?.get('retry-after-ms'));
  const asked = inMs ?? fromRetryAfter(headers);
  if (asked === undefined || !(asked > 0)) return undefined;
  return Math.ceil(Math.min(asked, RETRY_AFTER_LIMIT_MS));
}

function fromRetryAfter(headers: Headers | undefined): number | undefined {
  const value = headers?.get('retry-after');
  const seconds = numeric(value);
  if (seconds !== undefined) return seconds * 1000;
  const at = Date.parse(value ?? '');
  if (Number.isNaN(at)) return undefined;
  const servedAt = Date.parse(headers?.get('date') ?? '');
  return at - (Number.isNaN(servedAt) ? Date.now() : servedAt);
}

function numeric(value: string | null | undefined): number | undefined {
  return value && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}
