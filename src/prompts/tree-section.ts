import { oneLine, textBlock } from './blocks.ts';
import { fitText } from './fit.ts';
import type { PromptFile, PromptPath } from './prompt-input.ts';

const PATH_LIMIT_CHARS = 300;
/** Room for the heading, the sentence on what is shown, the fence and the note on what is left out. */
const FRAME_CHARS = 500;

type Folder = { path: string; depth: number; files: PromptPath[]; folders: Folder[]; count: number; bytes: number };
type Entry = Readonly<{ kind: 'file'; file: PromptPath }> | Readonly<{ kind: 'folder'; folder: Folder }>;

const newFolder = (path: string, depth: number): Folder => ({
  path,
  depth,
  files: [],
  folders: [],
  count: 0,
  bytes: 0,
});

function rootOf(tree: readonly PromptPath[]): Folder {
  const root = newFolder('', 0);
  const all = new Map([['', root]]);
  for (const file of tree) {
    let at = root;
    let path = '';
    for (const segment of file.path.split('/').slice(0, -1)) {
      path += `${segment}/`;
      let next = all.get(path);
      if (next === undefined) {
        next = newFolder(path, at.depth + 1);
        all.set(path, next);
        at.folders.push(next);
      }
      at.count += 1;
      at.bytes += file.bytes;
      at = next;
    }
    at.count += 1;
    at.bytes += file.bytes;
    at.files.push(file);
  }
  return root;
}

const nameOf = (path: string): string => fitText(oneLine(path), PATH_LIMIT_CHARS);
const lineOf = (entry: Entry): string =>
  entry.kind === 'file'
    ? `${nameOf(entry.file.path)} (${entry.file.bytes} bytes)`
    : `${nameOf(entry.folder.path)} (${entry.folder.count} files, ${entry.folder.bytes} bytes)`;

const pathOf = (entry: Entry): string => (entry.kind === 'file' ? entry.file.path : entry.folder.path);
const byPath = (a: Entry, b: Entry): number => (pathOf(a) < pathOf(b) ? -1 : 1);

const entriesOf = ({ files, folders }: Folder): Entry[] => [
  ...files.map((file) => ({ kind: 'file' as const, file })),
  ...folders.map((folder) => ({ kind: 'folder' as const, folder })),
];

const charsOf = (folder: Folder): number => entriesOf(folder).reduce((sum, entry) => sum + lineOf(entry).length + 1, 0);

/** Folders in which something is shown come first, then those near the root, then small ones. */
function openOrder(shownIn: ReadonlySet<string>): (a: Folder, b: Folder) => number {
  const rank = (folder: Folder): number => (shownIn.has(folder.path) ? 0 : 1);
  return (a, b) =>
    rank(a) - rank(b) ||
    a.depth - b.depth ||
    a.files.length + a.folders.length - b.files.length - b.folders.length ||
    (a.path < b.path ? -1 : 1);
}

/** Opens folders one after the other while their lines fit; the others stay one line each. */
function openFolders(root: Folder, shownIn: ReadonlySet<string>, limitChars: number): ReadonlySet<Folder> {
  const opened = new Set([root]);
  const order = openOrder(shownIn);
  let left = limitChars - charsOf(root);
  let closed = [...root.folders];
  while (closed.length > 0) {
    closed.sort(order);
    const [next, ...rest] = closed;
    if (next === undefined) break;
    const cost = charsOf(next) - lineOf({ kind: 'folder', folder: next }).length - 1;
    closed = rest;
    if (cost > left) continue;
    left -= cost;
    opened.add(next);
    closed.push(...next.folders);
  }
  return opened;
}

function linesOf(folder: Folder, opened: ReadonlySet<Folder>): string[] {
  return entriesOf(folder)
    .sort(byPath)
    .flatMap((entry) =>
      entry.kind === 'folder' && opened.has(entry.folder) ? linesOf(entry.folder, opened) : [lineOf(entry)],
    );
}

/** The folders above these files, each with a `/` at its end. */
function foldersAbove(files: readonly PromptFile[]): Set<string> {
  const above = new Set<string>();
  for (const { path } of files) {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) above.add(path.slice(0, end + 1));
  }
  return above;
}

/** The first lines that fit, and how many are missing. */
function fitLines(lines: readonly string[], limitChars: number): string[] {
  let left = limitChars;
  const kept = lines.filter((line) => {
    left -= line.length + 1;
    return left >= 0;
  });
  return kept.length === lines.length ? kept : [...kept, `[… ${kept.length} of ${lines.length} lines shown]`];
}

/**
 * The names of all files in about `limitChars` characters, for a tree of which only some files are shown. Folders that do
 * not fit are one line each with what is in them.
 */
export function treeSection(tree: readonly PromptPath[], files: readonly PromptFile[], limitChars: number): string {
  const root = rootOf(tree);
  const room = Math.max(0, limitChars - FRAME_CHARS);
  const lines = fitLines(linesOf(root, openFolders(root, foldersAbove(files), room)), room);
  const shown = `${files.length} of them ${files.length === 1 ? 'is' : 'are'} shown under \`## Files\``;
  const about = `The project has ${root.count} files, ${root.bytes} bytes in all; ${shown}. Of the others you see the names only: do not guess what is in them.`;
  return `## Tree\n${about}\n\n${textBlock(lines.join('\n'))}`;
}
