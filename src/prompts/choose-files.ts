import { clipText } from '../machine/json.ts';
import type { PromptPath } from './prompt-input.ts';

/** What decides which files matter: texts in the order of their weight, such as reasons before requirements. */
export type Choice = Readonly<{
  tree: readonly PromptPath[];
  texts: readonly string[];
  /** Of all chosen files together; a file's bytes are at least its characters. */
  limitChars: number;
}>;

/** Of one text; looking for names in megabytes of results would only cost time. */
const TEXT_LIMIT_CHARS = 200_000;
/** A word of a text that may be a path, a file's name or its stem. */
const WORDS = /[\p{L}\p{N}_@$][\p{L}\p{N}_@$.+/-]*/gu;
/** Shorter stems are everyday words. */
const LEAST_STEM_CHARS = 4;
const COMMON_STEMS: ReadonlySet<string> = new Set(['index', 'main', 'test', 'tests', '__init__', 'readme', 'package']);

const MANIFEST =
  /^(?:readme(?:\.\w+)?|contributing\.md|package\.json|pyproject\.toml|setup\.(?:py|cfg)|requirements(?:-\w+)?\.txt|tox\.ini|vitest\.config\.\w+|tsconfig\.json|makefile)$/i;
const ENTRY_POINT = /^(?:index|main|app|cli|server|__init__|__main__|mod|lib)\.\w+$/i;
/** Made by programs: nobody reads them, and each costs the room of many files. */
const GENERATED =
  /(?:^|\/)(?:node_modules|vendor|dist|build|coverage|__pycache__|\.git\w*)\/|(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|uv\.lock|Pipfile\.lock)$|\.min\.\w+$|\.map$|\.snap$/i;
const NOT_TEXT =
  /\.(?:png|jpe?g|gif|webp|ico|bmp|svgz|pdf|zip|t?gz|bz2|xz|7z|jar|war|exe|dll|so|dylib|a|o|pyc|class|wasm|woff2?|ttf|otf|eot|mp[34]|mov|avi|webm|sqlite3?|db|bin|dat|parquet)$/i;

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const depthOf = (path: string): number => path.split('/').length;

/** The name without its endings and without what marks a test: `test_csv.py`, `csv.test.ts` and `csv.py` are all `csv`. */
function stemOf(path: string): string {
  const [stem = ''] = nameOf(path).split('.');
  return stem.toLowerCase().replace(/^test[_-]|[_-](?:test|tests|spec)$/g, '');
}

/** For each word of the texts, the place of the first text that has it. Paths count with all their ends: `src/a.js`, `a.js`. */
function wordsOf(texts: readonly string[]): ReadonlyMap<string, number> {
  const words = new Map<string, number>();
  for (const [place, text] of texts.entries()) {
    for (const [found] of clipText(text, TEXT_LIMIT_CHARS).matchAll(WORDS)) {
      const word = found.replace(/[.+/-]+$/, '').toLowerCase();
      if (!words.has(word)) words.set(word, place);
    }
  }
  return words;
}

const endsOf = (path: string): string[] => {
  const segments = path.toLowerCase().split('/');
  return segments.map((_, index) => segments.slice(index).join('/'));
};

/** How much a file matters, the less the more: the first number decides, then the second, and so on. */
type Rank = readonly [kind: number, place: number, bytes: number, depth: number];

/** A file named in a text by its path or name is before one whose stem alone is a word of it. */
function namedRank(path: string, words: ReadonlyMap<string, number>): readonly [kind: number, place: number] | null {
  const places = endsOf(path).flatMap((end) => words.get(end) ?? []);
  if (places.length > 0) return [0, Math.min(...places)];
  const stem = stemOf(path);
  const place = stem.length < LEAST_STEM_CHARS || COMMON_STEMS.has(stem) ? undefined : words.get(stem);
  return place === undefined ? null : [1, place];
}

function rankOf(file: PromptPath, words: ReadonlyMap<string, number>, namedStems: ReadonlySet<string>): Rank {
  const { path, bytes } = file;
  const rest = [bytes, depthOf(path)] as const;
  const named = namedRank(path, words);
  if (named !== null && named[0] === 0) return [...named, ...rest];
  if (GENERATED.test(path)) return [6, 0, ...rest];
  if (named !== null) return [...named, ...rest];
  if (namedStems.has(stemOf(path))) return [2, 0, ...rest];
  if (MANIFEST.test(nameOf(path)) && depthOf(path) <= 2) return [3, depthOf(path), ...rest];
  if (ENTRY_POINT.test(nameOf(path)) && depthOf(path) <= 4) return [4, 0, ...rest];
  return [5, 0, ...rest];
}

function compare(a: { path: string; rank: Rank }, b: { path: string; rank: Rank }): number {
  for (const [index, value] of a.rank.entries()) {
    const difference = value - (b.rank[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.path < b.path ? -1 : 1;
}

/**
 * The paths of the files to show, most important first: those named in the texts, tests beside them, manifests and entry
 * points, then small before large, as long as they fit whole. All of them, in the order of the tree, when all fit. What is
 * no text by its name is never chosen; generated files are only when a text names them or all fit.
 */
export function chooseFiles({ tree, texts, limitChars }: Choice): string[] {
  const readable = tree.filter(({ path }) => !NOT_TEXT.test(path));
  if (readable.reduce((sum, { bytes }) => sum + bytes, 0) <= limitChars) return readable.map(({ path }) => path);
  const words = wordsOf(texts);
  const namedStems = new Set(
    readable.flatMap(({ path }) => (namedRank(path, words) === null ? [] : stemOf(path))).filter((stem) => stem !== ''),
  );
  let left = limitChars;
  return readable
    .map((file) => ({ ...file, rank: rankOf(file, words, namedStems) }))
    .sort(compare)
    .flatMap(({ path, bytes, rank }) => {
      if (bytes > left || rank[0] === 6) return [];
      left -= bytes;
      return [path];
    });
}
