/** A JSON value, as it travels over HTTP, Temporal and Postgres. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** What is wrong with one place of an input. `at` is a path like `phase_result.files[3].path`, or `` for the whole. */
export type Fault = Readonly<{ at: string; fault: string }>;

/** Deeper nesting than this is refused everywhere: parsers and schema checkers of others recurse and overflow. */
export const DEPTH_LIMIT = 64;

/** Faults listed of one input: enough to mend it, few enough to read and to store. */
const FAULT_LIMIT = 20;

// A lone surrogate is altered by text columns and refused by jsonb; NUL is refused by both (facts of PostgreSQL).
const UNSTORABLE = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** The first characters of a text, whole ones: a cut through a surrogate pair would leave a half that cannot be stored. */
export function clipText(text: string, limitChars: number): string {
  const cut = text.slice(0, limitChars);
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}

/** A text of others as it can be stored, at most `limitChars` long: what the mirror refuses would hold up every later row. */
export const storableText = (text: string, limitChars: number): string =>
  clipText(text, limitChars).replace(new RegExp(UNSTORABLE, 'g'), '\uFFFD');

/** Paths are made of the input's own keys, and faults are stored and shown. */
const PATH_LIMIT_CHARS = 80;
const fault = (at: string, told: string): Fault => ({ at: storableText(at, PATH_LIMIT_CHARS), fault: told });

const textFault = (text: string): string | null =>
  UNSTORABLE.test(text) ? 'contains NUL or half of a surrogate pair, which cannot be stored; remove it' : null;

/**
 * Lists what would keep a value from being stored as JSON: nesting over {@link DEPTH_LIMIT}, NUL, lone surrogates,
 * values that are no JSON. Iterative, so that depth cannot overflow it. At most {@link FAULT_LIMIT} faults are listed.
 */
export function jsonFaults(root: unknown, at = ''): Fault[] {
  const faults: Fault[] = [];
  const pending: { value: unknown; at: string; depth: number }[] = [{ value: root, at, depth: 0 }];
  for (let next = pending.pop(); next !== undefined && faults.length < FAULT_LIMIT; next = pending.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string') {
      const told = textFault(value);
      if (told) faults.push(fault(next.at, told));
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value)) faults.push(fault(next.at, 'is no finite number'));
    } else if (typeof value === 'object' && value !== null) {
      if (depth >= DEPTH_LIMIT) {
        faults.push(fault(next.at, `is nested deeper than ${DEPTH_LIMIT} levels; flatten it`));
        continue;
      }
      for (const [key, child] of Object.entries(value)) {
        const childAt = Array.isArray(value) ? `${next.at}[${key}]` : next.at === '' ? key : `${next.at}.${key}`;
        const told = textFault(key);
        if (told) faults.push(fault(next.at, `has a key that ${told}`));
        pending.push({ value: child, at: childAt, depth: depth + 1 });
      }
    } else if (value !== null && typeof value !== 'boolean') {
      faults.push(fault(next.at, `is ${typeof value}, which is no JSON value`));
    }
  }
  return faults.slice(0, FAULT_LIMIT);
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
