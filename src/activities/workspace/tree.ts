import { AppError } from '../../errors.ts';
import type { TreeEntry } from '../../machine/file-paths.ts';
import { git } from './git.ts';

/** A file of a commit; `bytes` is its size. */
export type TreeFile = Readonly<{ path: string; bytes: number }>;

/** A file of a commit with its text, ready for a prompt. */
export type TextFile = Readonly<{ path: string; content: string }>;

export type FilesForPrompt = Readonly<{
  files: readonly TextFile[];
  /** Files left out: not chosen, over the limit, or not text. */
  omitted: readonly TreeFile[];
}>;

type Blob = TreeFile & Readonly<{ sha: string }>;

/** A commit in a repository that has it. */
export type CommitAt = Readonly<{ repository: string; commit: string; signal: AbortSignal }>;

/** What stands in a commit's tree; an executable file is one whose mode says so. */
export type ModedEntry = TreeEntry & Readonly<{ executable: boolean }>;

const KINDS: Readonly<Record<string, TreeEntry['kind']>> = { '100': 'file', '120': 'link', '160': 'submodule' };

/** Everything in a commit's tree, with what it is. */
export async function listEntries(source: CommitAt): Promise<ModedEntry[]> {
  const output = await git({ ...source, args: ['ls-tree', '-r', '-z', source.commit] });
  return output
    .toString('utf8')
    .split('\0')
    .flatMap((line) => {
      const kind = KINDS[line.slice(0, 3)];
      const path = line.slice(line.indexOf('\t') + 1);
      return kind === undefined ? [] : [{ path, kind, executable: line.startsWith('100755') }];
    });
}

/** The files of a commit, by path. Links and submodules are left out. */
export async function listTree(source: CommitAt): Promise<Blob[]> {
  const output = await git({ ...source, args: ['ls-tree', '-r', '-l', '-z', source.commit] });
  const blobs: Blob[] = [];
  for (const entry of output.toString('utf8').split('\0')) {
    const found = /^100\d{3} blob (?<sha>[0-9a-f]+) +(?<bytes>\d+)\t(?<path>[\s\S]+)$/.exec(entry)?.groups;
    if (found?.sha === undefined || found.bytes === undefined || found.path === undefined) continue;
    blobs.push({ path: found.path, bytes: Number(found.bytes), sha: found.sha });
  }
  return blobs;
}

/** Chooses the paths that are to be read of a tree's files. */
export type ChooseFiles = (tree: readonly TreeFile[]) => readonly string[] | Promise<readonly string[]>;

/**
 * Reads the chosen files, all where nothing chooses, in the order of their paths until `limitBytes` of content are reached;
 * a file that does not fit is left out.
 */
export async function readTree(source: CommitAt, limitBytes: number, choose?: ChooseFiles): Promise<FilesForPrompt> {
  const chosen: Blob[] = [];
  const omitted: TreeFile[] = [];
  let bytes = 0;
  const tree = await listTree(source);
  const wanted = choose && new Set(await choose(tree.map(({ path, bytes: size }) => ({ path, bytes: size }))));
  for (const blob of tree) {
    const fits = bytes + blob.bytes <= limitBytes && (wanted?.has(blob.path) ?? true);
    if (fits) {
      chosen.push(blob);
      bytes += blob.bytes;
    } else omitted.push({ path: blob.path, bytes: blob.bytes });
  }
  const files: TextFile[] = [];
  for (const { blob, content } of await readBlobs(source, chosen)) {
    const text = textOf(content);
    if (text === null) omitted.push({ path: blob.path, bytes: blob.bytes });
    else files.push({ path: blob.path, content: text });
  }
  return { files, omitted };
}

async function readBlobs(source: CommitAt, blobs: readonly Blob[]): Promise<{ blob: Blob; content: Buffer }[]> {
  if (blobs.length === 0) return [];
  const input = [blobs.map((blob) => `${blob.sha}\n`).join('')];
  const output = await git({ ...source, args: ['cat-file', '--batch'], input });
  let at = 0;
  return blobs.map((blob) => {
    const header = `${blob.sha} blob ${blob.bytes}\n`;
    const start = at + header.length;
    if (output.toString('latin1', at, start) !== header) {
      throw new AppError(
        'workspace_failed',
        `git cat-file has no blob ${blob.sha} (${blob.path}) in ${source.repository}.`,
      );
    }
    at = start + blob.bytes + 1;
    return { blob, content: output.subarray(start, start + blob.bytes) };
  });
}

function textOf(content: Buffer): string | null {
  if (content.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return null;
  }
}
