/** A JSON value, as it travels over HTTP, Temporal and Postgres. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** What is wrong with one place of an input. `at` is a path like `phase_result.files[3].path`, or `` for the whole. */
export type Fault = Readonly<{ at: string; fault: string }>;

/** Deeper nesting than this is refused everywhere: parsers and schema checkers of others recurse and overflow. */
export const DEPTH_LIMIT = 64;

// A lone surrogate is altered by text columns and refused by jsonb; NUL is refused by both (facts of PostgreSQL).
const UNSTORABLE = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

const textFault = (text: string): string | null =>
  UNSTORABLE.test(text) ? 'contains NUL or half of a surrogate pair, which cannot be stored; remove it' : null;

/**
 * Lists what would keep a value from being stored as JSON: nesting over {@link DEPTH_LIMIT}, NUL, lone surrogates,
 * values that are no JSON. Iterative, so that depth cannot overflow it. At most 20 faults are listed.
 */
export function jsonFaults(root: unknown, at = ''): Fault[] {
  const faults: Fault[] = [];
  const pending: { value: unknown; at: string; depth: number }[] = [{ value: root, at, depth: 0 }];
  for (let next = pending.pop(); next !== undefined && faults.length < 20; next = pending.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string') {
      const fault = textFault(value);
      if (fault) faults.push({ at: next.at, fault });
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value)) faults.push({ at: next.at, fault: 'is no finite number' });
    } else if (typeof value === 'object' && value !== null) {
      if (depth >= DEPTH_LIMIT) {
        faults.push({ at: next.at.slice(0, 80), fault: `is nested deeper than ${DEPTH_LIMIT} levels; flatten it` });
        continue;
      }
      for (const [key, child] of Object.entries(value)) {
        const childAt = Array.isArray(value) ? `${next.at}[${key}]` : next.at === '' ? key : `${next.at}.${key}`;
        const fault = textFault(key);
        if (fault) faults.push({ at: next.at, fault: `has a key that ${fault}` });
        pending.push({ value: child, at: childAt, depth: depth + 1 });
      }
    } else if (value !== null && typeof value !== 'boolean') {
      faults.push({ at: next.at, fault: `is ${typeof value}, which is no JSON value` });
    }
  }
  return faults;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
