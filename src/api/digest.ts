import { createHash } from 'node:crypto';

/** JSON with the keys of every object in order, so that equal content has equal text. Undefined counts as absent. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, child]) => child !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, child]) => `${JSON.stringify(key)}:${canonicalJson(child)}`);
    return `{${entries.join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

/** The first 32 hex digits of sha256: enough to tell contents apart, short enough for a memo and an operation id. */
export const digestOf = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 32);
