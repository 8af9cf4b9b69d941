import type { Fault } from '../../machine/json.ts';

/** A file as a role gives it: the path is relative to the root of the workspace, with `/` between its segments. */
export type WorkspaceFile = Readonly<{ path: string; content: string }>;

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
export function checkFiles(files: readonly WorkspaceFile[]): Fault[] {
  if (files.length > FILE_LIMITS.files) {
    return [{ at: '/files', fault: `${files.length} files: at most ${FILE_LIMITS.files} are taken in one answer` }];
  }
  const faults: Fault[] = [];
  const tree = createTree();
  let totalBytes = 0;
  for (const [index, file] of files.entries()) {
    totalBytes += Buffer.byteLength(file.content, 'utf8');
    const fault = pathFault(file.path) ?? tree.add(file.path);
    if (fault !== null) faults.push({ at: `/files/${index}/path`, fault: `${shown(file.path)}: ${fault}` });
    if (/\p{Cs}/u.test(file.content)) {
      faults.push({ at: `/files/${index}/content`, fault: 'holds a lone surrogate: give text that is valid Unicode' });
    }
    if (faults.length >= FAULT_LIMIT) break;
  }
  if (totalBytes > FILE_LIMITS.totalBytes) {
    faults.push({ at: '/files', fault: `over ${FILE_LIMITS.totalBytes} bytes in all: give fewer or smaller files` });
  }
  return faults;
}

function pathFault(path: string): string | null {
  if (path === '') return 'is empty: give a relative path such as src/index.js';
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(path)) return 'has a control, invisible or broken character';
  if (path.includes('\\')) return 'has a backslash: separate folders with /';
  if (path.startsWith('/')) return 'is absolute: give it relative to the root of the project';
  if (/[<>:"|?*]/.test(path)) return 'has one of < > : " | ? *, which not every system can store';
  if (Buffer.byteLength(path, 'utf8') > FILE_LIMITS.pathBytes) return `is longer than ${FILE_LIMITS.pathBytes} bytes`;
  for (const segment of path.split('/')) {
    const fault = segmentFault(segment);
    if (fault !== null) return fault;
  }
  return null;
}

function segmentFault(segment: string): string | null {
  if (segment === '') return 'has an empty segment: no double / and no / at the end';
  if (segment === '.' || segment === '..') return `has the segment ${segment}: stay inside the project`;
  if (Buffer.byteLength(segment, 'utf8') > FILE_LIMITS.segmentBytes) {
    return `has a segment longer than ${FILE_LIMITS.segmentBytes} bytes`;
  }
  const name = folded(segment);
  // Windows drops dots and spaces at the end of a name, so `.git. ` would open `.git`.
  if (GIT_FOLDER.test(name.replace(/[. ]+$/, ''))) return 'leads into .git, which belongs to the orchestrator';
  if (/[. ]$/.test(name)) return 'has a segment that ends with a dot or a space';
  if (DEVICE.test(name)) return 'is the name of a device on Windows: choose another name';
  return null;
}

/** Keeps what was taken so far, so that no two paths mean one place on any file system. */
function createTree() {
  const spelling = new Map<string, string>();
  const folders = new Set<string>();
  const taken = new Set<string>();
  return {
    add(path: string): string | null {
      const segments = path.split('/');
      for (let depth = 1; depth <= segments.length; depth += 1) {
        const place = segments.slice(0, depth).join('/');
        const key = folded(place);
        const known = spelling.get(key);
        if (known !== undefined && known !== place)
          return `differs from ${shown(known)} only in spelling (upper, lower case)`;
        const isFile = depth === segments.length;
        if (isFile && taken.has(key)) return 'is given twice';
        if (isFile ? folders.has(key) : taken.has(key)) return `${shown(place)} would be both a file and a folder`;
        spelling.set(key, place);
        (isFile ? taken : folders).add(key);
      }
      return null;
    },
  };
}

/** How file systems that ignore case or normalise Unicode see a name. */
function folded(name: string): string {
  return name.normalize('NFKC').toLowerCase().normalize('NFKC');
}

function shown(path: string): string {
  return JSON.stringify(path.length > 80 ? `${path.slice(0, 80)}…` : path).replace(/\p{Cf}/gu, '�');
}
