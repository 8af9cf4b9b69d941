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

/** A value and how it is reached. Only faults need a path, so it is put together only for them: values are many. */
type Place = Readonly<{ value: unknown; depth: number; key: string | number; parent: Place | null }>;

function pathOf({ key, parent }: Place): string {
  const keys: (string | number)[] = [];
  for (let at = parent, own = key; at !== null; own = at.key, at = at.parent) keys.unshift(own);
  return keys.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

/** What is wrong with a value that has no parts. */
function plainFault(value: unknown): string | null {
  if (typeof value === 'string') return textFault(value);
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'is no finite number';
  return value === null || typeof value === 'boolean' ? null : `is ${typeof value}, which is no JSON value`;
}

const hasParts = (value: unknown): value is object => typeof value === 'object' && value !== null;

/**
 * Lists what would keep a value from being stored as JSON: nesting over {@link DEPTH_LIMIT}, NUL, lone surrogates,
 * values that are no JSON. Iterative, so that depth cannot overflow it. At most {@link FAULT_LIMIT} faults are listed.
 */
export function jsonFaults(root: unknown): Fault[] {
  const faults: Fault[] = [];
  const pending: Place[] = [{ value: root, depth: 0, key: '', parent: null }];
  const look = (value: unknown, key: string | number, parent: Place): void => {
    if (hasParts(value) || plainFault(value) !== null) pending.push({ value, depth: parent.depth + 1, key, parent });
  };
  for (let next = pending.pop(); next !== undefined && faults.length < FAULT_LIMIT; next = pending.pop()) {
    const { value, depth } = next;
    if (!hasParts(value)) {
      const told = plainFault(value);
      if (told) faults.push(fault(pathOf(next), told));
    } else if (depth >= DEPTH_LIMIT) {
      faults.push(fault(pathOf(next), `is nested deeper than ${DEPTH_LIMIT} levels; flatten it`));
    } else if (Array.isArray(value)) {
      for (const [index, child] of value.entries()) look(child, index, next);
    } else {
      for (const key of Object.keys(value)) {
        const told = textFault(key);
        if (told) faults.push(fault(pathOf(next), `has a key that ${told}`));
        look(value[key as keyof typeof value], key, next);
      }
    }
  }
  return faults.slice(0, FAULT_LIMIT);
}

/** Whether it is a text with words in it. */
export const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
