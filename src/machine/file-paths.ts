import type { Fault } from './json.ts';
import { utf8Bytes } from './messages.ts';

/** A file as a role gives it: the path is relative to the root of the workspace, with `/` between its segments. */
export type WorkspaceFile = Readonly<{ path: string; content: string }>;

/** What stands at one path of a commit. A submodule is a commit of another repository, of which nothing is fetched. */
export type TreeEntry = Readonly<{ path: string; kind: 'file' | 'link' | 'submodule' }>;

/** What files are put on: paths that go away with them, and what stands in the tree before. Both empty by default. */
export type FileSurroundings = Readonly<{ deleted?: readonly string[]; existing?: readonly TreeEntry[] }>;

/** What one attempt may write at most. Lengths of paths are in bytes of UTF-8. */
export const FILE_LIMITS = {
  files: 2000,
  totalBytes: 16 * 1024 * 1024,
  segmentBytes: 255,
  pathBytes: 1024,
} as const;

const FAULT_LIMIT = 20;
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/;
// git~1 is the short name Windows gives to .git.
const GIT_FOLDER = /^(?:\.git|git~[0-9]+)$/;

/**
 * Tells what is wrong with files that come from a model or from outside; an empty list means they may be written. Pure, so
 * that it can be part of an answer's schema check: the fault texts are made for the author of the files. At most 20 faults.
 */
export function checkFiles(
  files: readonly WorkspaceFile[],
  { deleted = [], existing = [] }: FileSurroundings = {},
): Fault[] {
  const most = Math.max(files.length, deleted.length);
  if (most > FILE_LIMITS.files) {
    return [{ at: '/files', fault: `${most} files: at most ${FILE_LIMITS.files} are taken in one answer` }];
  }
  const tree = createTree(existing, deleted);
  const faults: Fault[] = deletedFaults(files, deleted, existing);
  let totalBytes = 0;
  for (const [index, file] of files.entries()) {
    if (faults.length >= FAULT_LIMIT) break;
    totalBytes += contentBytes(file.content, FILE_LIMITS.totalBytes - totalBytes);
    if (totalBytes > FILE_LIMITS.totalBytes) break;
    const fault = (tree.isFile(file.path) ? null : pathFault(file.path)) ?? tree.add(file.path);
    if (fault !== null) faults.push({ at: `/files/${index}/path`, fault: `${shown(file.path)}: ${fault}` });
    if (/\p{Cs}/u.test(file.content)) {
      faults.push({ at: `/files/${index}/content`, fault: 'holds a lone surrogate: give text that is valid Unicode' });
    }
  }
  if (totalBytes > FILE_LIMITS.totalBytes) {
    faults.push({ at: '/files', fault: `over ${FILE_LIMITS.totalBytes} bytes in all: give fewer or smaller files` });
  }
  return faults.slice(0, FAULT_LIMIT);
}

/** A text has no fewer bytes than characters, so what is too large anyway is not counted out. */
function contentBytes(content: string, leftBytes: number): number {
  if (content.length > leftBytes || /^[\0-\x7f]*$/.test(content)) return content.length;
  return utf8Bytes(content);
}

function deletedFaults(
  files: readonly WorkspaceFile[],
  deleted: readonly string[],
  existing: readonly TreeEntry[],
): Fault[] {
  if (deleted.length === 0) return [];
  const kinds = new Map(existing.map(({ path, kind }) => [path, kind]));
  const written = new Set(files.map(({ path }) => path));
  const seen = new Set<string>();
  const faults: Fault[] = [];
  for (const [index, path] of deleted.entries()) {
    const kind = kinds.get(path);
    const fault =
      kind === undefined
        ? 'is no file of the project, so it cannot be deleted'
        : kind === 'submodule'
          ? 'is a submodule, which stays as it is'
          : written.has(path)
            ? 'is both given and deleted: do one of the two'
            : seen.has(path)
              ? 'is deleted twice'
              : null;
    seen.add(path);
    if (fault !== null) faults.push({ at: `/deleted_files/${index}`, fault: `${shown(path)}: ${fault}` });
    if (faults.length >= FAULT_LIMIT) break;
  }
  return faults;
}

function pathFault(path: string): string | null {
  if (path === '') return 'is empty: give a relative path such as src/index.js';
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(path)) return 'has a control, invisible or broken character';
  if (path.includes('\\')) return 'has a backslash: separate folders with /';
  if (path.startsWith('/')) return 'is absolute: give it relative to the root of the project';
  if (/[<>:"|?*]/.test(path)) return 'has one of < > : " | ? *, which not every system can store';
  if (utf8Bytes(path) > FILE_LIMITS.pathBytes) return `is longer than ${FILE_LIMITS.pathBytes} bytes`;
  for (const segment of path.split('/')) {
    const fault = segmentFault(segment);
    if (fault !== null) return fault;
  }
  return null;
}

function segmentFault(segment: string): string | null {
  if (segment === '') return 'has an empty segment: no double / and no / at the end';
  if (segment === '.' || segment === '..') return `has the segment ${segment}: stay inside the project`;
  if (utf8Bytes(segment) > FILE_LIMITS.segmentBytes) {
    return `has a segment longer than ${FILE_LIMITS.segmentBytes} bytes`;
  }
  const name = folded(segment);
  if (isGitFolder(segment)) return 'leads into .git, which belongs to the orchestrator';
  if (/[. ]$/.test(name)) return 'has a segment that ends with a dot or a space';
  if (DEVICE.test(name)) return 'is the name of a device on Windows: choose another name';
  return null;
}

/** Whether some file system takes a name for `.git`. Windows drops dots and spaces at its end, so `.git. ` would open it. */
export function isGitFolder(segment: string): boolean {
  return GIT_FOLDER.test(folded(segment).replace(/[. ]+$/, ''));
}

/** Keeps what was taken so far, so that no two paths mean one place on any file system. */
function createTree(existing: readonly TreeEntry[], deleted: readonly string[]) {
  const spelling = new Map<string, string>();
  const folders = new Set<string>();
  /** Places that were there before: a tree of others may hold two that differ only in case, and both may be changed. */
  const kinds = new Map<string, TreeEntry['kind'] | 'folder'>();
  const given = new Set<string>();
  const gone = new Set(deleted);
  for (const { path, kind } of existing) {
    if (gone.has(path)) continue;
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      const place = path.slice(0, end);
      if (kinds.has(place)) continue;
      kinds.set(place, 'folder');
      spelling.set(folded(place), place);
    }
    kinds.set(path, kind);
    spelling.set(folded(path), path);
  }
  const placeFault = (place: string, isFile: boolean): string | null => {
    const key = folded(place);
    const before = kinds.get(place);
    const known = spelling.get(key);
    if (before === undefined && known !== undefined && known !== place)
      return `differs from ${shown(known)} only in spelling (upper, lower case)`;
    if (before === 'link' || before === 'submodule')
      return `${shown(place)} is a ${before === 'link' ? 'symbolic link' : 'submodule'} of the project, which stays as it is`;
    if (isFile && given.has(key)) return 'is given twice';
    const isOther = isFile ? before === 'folder' || folders.has(key) : before === 'file' || given.has(key);
    if (isOther) return `${shown(place)} would be both a file and a folder`;
    spelling.set(key, known ?? place);
    (isFile ? given : folders).add(key);
    return null;
  };
  return {
    isFile: (path: string): boolean => kinds.get(path) === 'file',
    add(path: string): string | null {
      const segments = path.split('/');
      for (let depth = 1; depth <= segments.length; depth += 1) {
        const fault = placeFault(segments.slice(0, depth).join('/'), depth === segments.length);
        if (fault !== null) return fault;
      }
      return null;
    },
  };
}

/** How file systems that ignore case or normalise Unicode see a name. */
function folded(name: string): string {
  if (/^[\x20-\x7e]*$/.test(name)) return name.toLowerCase();
  return name.normalize('NFKC').toLowerCase().normalize('NFKC');
}

function shown(path: string): string {
  return JSON.stringify(path.length > 80 ? `${path.slice(0, 80)}…` : path).replace(/\p{Cf}/gu, '\uFFFD');
}
