import { AppError } from '../../errors.ts';
import { failed, type GitRequest, git, runGit } from './git.ts';
import type { CommitAt } from './tree.ts';

/** Lines of a file's new side, by the first and the last, counted from 1. */
export type LineRange = readonly [first: number, last: number];

/** The tree without files, which git knows without having it. */
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

type Diffed = CommitAt & Readonly<{ base: string | null }>;

/** No program of others shows or converts a file, and no attribute of the build's own files hides one. */
const diffRequest = ({ base, commit, ...at }: Diffed, options: readonly string[]): GitRequest => ({
  ...at,
  args: ['diff-tree', '-r', '-p', '--no-color', '--no-ext-diff', '--no-textconv', '--no-renames', ...options]
    .concat(base ?? EMPTY_TREE)
    .concat(commit),
});

/** What has changed, as a unified diff. What is over the limit is cut at the end of a line, and the cut is told. */
export async function diffOf(diffed: Diffed, limitBytes: number): Promise<string> {
  const request = diffRequest(diffed, ['--unified=3']);
  // Output comes in pieces of up to 64 kB, of which the first that does not fit is dropped whole.
  const end = await runGit(request, limitBytes + 64 * 1024);
  if (end.kind !== 'overflow' && (end.kind !== 'exited' || end.exitCode !== 0)) throw failed(request, end);
  if (end.kind === 'exited' && end.stdout.length <= limitBytes) return end.stdout.toString('utf8');
  const kept = end.stdout.subarray(0, limitBytes);
  const whole = kept.subarray(0, kept.lastIndexOf(10) + 1).toString('utf8');
  return `${whole}[cut here: the diff has more than ${limitBytes} bytes]\n`;
}

/** The lines that were added or changed, by file. A file that was removed, or in which lines were only removed, has none. */
export async function changedLinesOf(diffed: Diffed): Promise<ReadonlyMap<string, readonly LineRange[]>> {
  const output = await git(diffRequest(diffed, ['--unified=0', '--text']));
  return readHunks(output.toString('utf8').split('\n'));
}

/** Steps over what hunks hold by their counts, so that no line of a file is taken for a line of the diff. */
function readHunks(lines: readonly string[]): Map<string, LineRange[]> {
  const changed = new Map<string, LineRange[]>();
  let path: string | null = null;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (line.startsWith('+++ ')) path = newPath(line.slice('+++ '.length));
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk === null) continue;
    const [removed, first, added] = [Number(hunk[1] ?? 1), Number(hunk[2]), Number(hunk[3] ?? 1)];
    at += removed + added;
    while (lines[at + 1]?.startsWith('\\ ')) at += 1;
    if (path === null || added === 0) continue;
    const ranges = changed.get(path) ?? [];
    ranges.push([first, first + added - 1]);
    changed.set(path, ranges);
  }
  return changed;
}

const ESCAPES: Readonly<Record<string, string>> = { a: '\x07', b: '\b', t: '\t', n: '\n', v: '\v', f: '\f', r: '\r' };

/** The path on the new side; null where the file is gone. git quotes a path with odd signs, and ends one with spaces by a tab. */
function newPath(text: string): string | null {
  if (text === '/dev/null') return null;
  const plain = text.replace(/\t$/, '');
  if (!plain.startsWith('"')) return plain.replace(/^b\//, '');
  const inner = plain.slice(1, -1).replace(/\\([0-7]{3}|.)/g, (_, sign: string) => {
    return sign.length === 3 ? String.fromCharCode(Number.parseInt(sign, 8)) : (ESCAPES[sign] ?? sign);
  });
  return inner.replace(/^b\//, '');
}

/** @throws AppError `workspace_failed` when the prefix is no name of a folder */
export function archivePrefix(prefix: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/.test(prefix)) return `${prefix}/`;
  throw new AppError('workspace_failed', `The prefix ${JSON.stringify(prefix.slice(0, 80))} of an archive is no name.`);
}
