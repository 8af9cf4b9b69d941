import { isJsonObject } from './json.ts';

const sortedKeys = (_key: string, value: unknown): unknown =>
  isJsonObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;

/**
 * A short digest of a JSON value, key order aside: it tells a repeated command from another one under the same id. Two
 * halves of 32 bits, as in the public-domain hash cyrb53; no defence against forgery, which would only fool its own author.
 */
export function fingerprint(value: unknown): string {
  const text = JSON.stringify(value, sortedKeys) ?? '';
  let [left, right] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    left = Math.imul(left ^ code, 2_654_435_761);
    right = Math.imul(right ^ code, 1_597_334_677);
  }
  return (left >>> 0).toString(36) + (right >>> 0).toString(36);
}
