import { sameWords } from '../../machine/criteria.ts';
import { clipText, type Fault, isJsonObject, isText, type Json, type JsonObject } from '../../machine/json.ts';

/** What evidence is held against. */
export type Ground = Readonly<{
  /** Numbered from 1. Without any, verification may name its own. */
  criteria: readonly string[];
  /**
   * The files that stand, with the number of their lines; null for what is no text. Null as a whole where the
   * implementation is text alone: then words are all the evidence there can be.
   */
  lines: ReadonlyMap<string, number | null> | null;
  /** The tests that ran in the orchestrator's own run; null when nothing was measured. */
  tests: readonly string[] | null;
}>;

const QUOTED_CHARS = 80;

const quoted = (text: string): string => JSON.stringify(clipText(text, QUOTED_CHARS));
const isGiven = (value: Json | undefined): value is Json => value !== undefined && value !== null && value !== '';

/** `1`, `#1`, `1.`, and `1. with the words behind it`. */
const NUMBERED = /^#?(\d{1,4})(?:[.):]\s*(.*)|)$/s;

/** Which criterion an entry is about, from 0; a text when it is not clear. The words decide, the number where they are others. */
function criterionOf({ criterion, number }: JsonObject, criteria: readonly string[]): number | string {
  const words = isText(criterion) ? criterion.trim() : '';
  const indexOf = (text: string): number => criteria.findIndex((one) => sameWords(one) === sameWords(text));
  const [, digits, rest = ''] = NUMBERED.exec(words) ?? [];
  const byWords = Math.max(indexOf(words), rest === '' ? -1 : indexOf(rest));
  const count = typeof number === 'number' ? number : byWords === -1 && digits !== undefined ? Number(digits) : null;
  const byNumber = count !== null && criteria[count - 1] !== undefined ? count - 1 : -1;
  if (byWords === -1 && byNumber === -1) return `${quoted(words || String(number))} is none of the criteria`;
  if (byWords !== -1 && count !== null && byNumber !== byWords) {
    return `names criterion ${count}, but has the words of criterion ${byWords + 1}`;
  }
  return byWords === -1 ? byNumber : byWords;
}

type Range = Readonly<{ first: number; last: number }>;

const RANGE = /^\s*(?:L?(\d{1,7}))\s*(?:[-–]\s*L?(\d{1,7})\s*)?$/;

/** `12`, `"12"`, `[3, 9]` and `"3-9"`; null for what is no lines. */
function rangeOf(given: Json): Range | null {
  const ends = Array.isArray(given) && given.length > 0 && given.length <= 2 ? given.join('-') : given;
  if (typeof ends !== 'string' && typeof ends !== 'number') return null;
  const [found, from, to] = RANGE.exec(String(ends)) ?? [];
  return found === undefined ? null : { first: Number(from), last: Number(to ?? from) };
}

/** Where the tree has the file; a path may have its lines behind it, as compilers write them. */
function placeOf(entry: JsonObject, lines: ReadonlyMap<string, unknown>): { path: string; at: Json | undefined } {
  const path = String(entry.file).trim().replace(/^\.\//, '');
  const at = entry.line ?? entry.lines ?? undefined;
  const [, shorter, behind] = /^(.+?):(\d+(?:-\d+)?)$/.exec(path) ?? [];
  return shorter !== undefined && !lines.has(path) ? { path: shorter, at: at ?? behind } : { path, at };
}

function fileFault(
  entry: JsonObject,
  lines: ReadonlyMap<string, number | null>,
): [field: string, fault: string] | null {
  if (!isText(entry.file)) return ['file', 'must be the path of a file'];
  const { path, at } = placeOf(entry, lines);
  const count = lines.get(path);
  if (count === undefined) return ['file', `${quoted(path)} is no file of the build; give a path of the tree`];
  if (!isGiven(at))
    return isText(entry.test) ? null : ['line', `is missing: say which line of ${quoted(path)} shows it`];
  if (count === null) return ['file', `${quoted(path)} is no text that has lines; name a test, or another file`];
  const range = rangeOf(at);
  if (range === null) return ['line', 'must be a line, or the first and last of several'];
  const fits = range.first >= 1 && range.first <= range.last && range.last <= count;
  return fits ? null : ['line', `${quoted(path)} has ${count} lines, and no line ${range.first}-${range.last}`];
}

/** Ends of a name that stand for it: what is behind a separator of suites; names of Python are joined by dots. */
function endsWith(name: string, given: string): boolean {
  const separators = /\s/.test(name) ? [' > ', '::'] : ['::', '.'];
  return separators.some((separator) => name.endsWith(`${separator}${given}`));
}

function testFault(given: Json, tests: Ground['tests']): string | null {
  if (tests === null) return 'proves nothing, because no test run was measured; give file and line instead';
  if (!isText(given)) return 'must be the name of one test';
  const plain = given.replace(/\s+/g, ' ').trim();
  const names = [...new Set(tests.map((name) => name.replace(/\s+/g, ' ').trim()))];
  if (names.includes(plain)) return null;
  const found = names.filter((name) => endsWith(name, plain));
  if (found.length === 1) return null;
  if (found.length > 1) return `${quoted(plain)} is the end of ${found.length} names; give the whole name of one`;
  return `${quoted(plain)} did not run in the measured test run; give a name of its list`;
}

const wordsFault = (entry: JsonObject, what: string): Fault[] =>
  isText(entry.evidence) ? [] : [{ at: 'evidence', fault: what }];

/** What keeps one entry from being evidence. */
function entryFaults(entry: JsonObject, { lines, tests }: Ground): Fault[] {
  if (entry.met !== true) return wordsFault(entry, 'must say why the criterion is not met');
  if (lines === null) return wordsFault(entry, 'must say where it can be seen that the criterion is met');
  const faults: Fault[] = [];
  if (!isGiven(entry.file) && !isGiven(entry.test)) {
    const wanted = tests === null ? 'file and line' : 'file and line, or test';
    return [{ at: '', fault: `says that a criterion is met and gives no ${wanted} that shows it` }];
  }
  if (isGiven(entry.file)) {
    const fault = fileFault(entry, lines);
    if (fault !== null) faults.push({ at: fault[0], fault: fault[1] });
  }
  const test = isGiven(entry.test) ? testFault(entry.test, tests) : null;
  if (test !== null) faults.push({ at: 'test', fault: test });
  return faults;
}

/** One entry per criterion, no less and no more. */
function countFaults(entries: readonly JsonObject[], criteria: readonly string[]): Fault[] {
  if (criteria.length === 0) return [];
  const seen = new Map<number, number>();
  const faults = entries.flatMap((entry, place): Fault[] => {
    const found = criterionOf(entry, criteria);
    if (typeof found === 'string') return [{ at: `/evidence/${place}/criterion`, fault: found }];
    const before = seen.get(found);
    if (before === undefined) {
      seen.set(found, place);
      return [];
    }
    return [{ at: `/evidence/${place}`, fault: `answers criterion ${found + 1} again, as /evidence/${before} did` }];
  });
  const missing = criteria.flatMap((words, index): Fault[] =>
    seen.has(index) ? [] : [{ at: '/evidence', fault: `has no entry for criterion ${index + 1}, ${quoted(words)}` }],
  );
  return [...missing, ...faults];
}

const entriesOf = (value: JsonObject): JsonObject[] =>
  Array.isArray(value.evidence) ? value.evidence.filter(isJsonObject) : [];

/**
 * What keeps the evidence of a verification from being evidence: criteria that are missing, doubled or unknown, files and
 * lines that do not exist, tests that did not run, and an approval of what is not met.
 */
export function evidenceFaults(value: JsonObject, ground: Ground): Fault[] {
  const entries = entriesOf(value);
  const unmet = entries.findIndex(({ met }) => met !== true);
  const contradiction =
    value.approved_for_deployment === true && unmet !== -1
      ? [{ at: '/approved_for_deployment', fault: `is true, but /evidence/${unmet} is not met: reject, or correct it` }]
      : [];
  const own = entries.flatMap((entry, place) =>
    entryFaults(entry, ground).map(({ at, fault }) => ({ at: `/evidence/${place}${at && `/${at}`}`, fault })),
  );
  return [...contradiction, ...countFaults(entries, ground.criteria), ...own];
}

/** The entries with the number and the very words of their criterion, for whoever reads the result later. */
export function namedEvidence(value: JsonObject, { criteria }: Ground): JsonObject[] {
  return entriesOf(value).map((entry) => {
    const found = criteria.length === 0 ? '' : criterionOf(entry, criteria);
    return typeof found === 'string' ? entry : { ...entry, number: found + 1, criterion: criteria[found] ?? '' };
  });
}
