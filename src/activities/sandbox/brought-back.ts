import { constants } from 'node:fs';
import { lstat, mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const BLOCK_BYTES = 512;
const REGULAR_FILE = new Set(['0', '\0']);

/** What a run may hand back: more is left where it is gone with the sandbox. */
export type BackLimits = Readonly<{ files: number; bytes: number }>;

/**
 * Writes the regular files of an archive (ustar) where their paths say, as far as that is in one of the folders, and nothing
 * else of it: no link, no pipe, no path that leads out. The archive comes from programs that nobody trusts;
 * what is broken or beyond the limits ends the reading.
 *
 * @param folders absolute, without links in them
 */
export async function unpackFiles(archive: string, folders: readonly string[], limits: BackLimits): Promise<void> {
  const file = await open(archive, 'r');
  try {
    const header = Buffer.alloc(BLOCK_BYTES);
    let position = 0;
    let left = limits;
    while (left.files > 0) {
      const { bytesRead } = await file.read(header, 0, BLOCK_BYTES, position);
      const entry = bytesRead === BLOCK_BYTES ? parseHeader(header) : null;
      if (entry === null || entry.bytes > left.bytes) return;
      position += BLOCK_BYTES;
      if (entry.isFile) {
        const content = Buffer.alloc(entry.bytes);
        const { bytesRead: found } = await file.read(content, 0, entry.bytes, position);
        if (found !== entry.bytes) return;
        await keep(entry.path, content, folders);
        left = { files: left.files - 1, bytes: left.bytes - entry.bytes };
      }
      position += Math.ceil(entry.bytes / BLOCK_BYTES) * BLOCK_BYTES;
    }
  } finally {
    await file.close();
  }
}

type Entry = Readonly<{ path: string; bytes: number; isFile: boolean }>;

/** Null at the end of the archive, and for what is no header. */
function parseHeader(header: Buffer): Entry | null {
  const text = (from: number, length: number): string => {
    const field = header.subarray(from, from + length);
    const end = field.indexOf(0);
    return field.toString('utf8', 0, end === -1 ? length : end);
  };
  if (text(257, 5) !== 'ustar') return null;
  const size = text(124, 12).trim();
  if (!/^[0-7]{1,11}$/.test(size)) return null;
  const prefix = text(345, 155);
  const path = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
  const type = header.toString('latin1', 156, 157);
  return { path, bytes: Number.parseInt(size, 8), isFile: REGULAR_FILE.has(type) && isPlain(path) };
}

const isPlain = (path: string): boolean =>
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

const REFUSED = ['EEXIST', 'EISDIR', 'ENOTDIR', 'EINVAL', 'ENAMETOOLONG', 'ELOOP'];

async function keep(path: string, content: Buffer, folders: readonly string[]): Promise<void> {
  const folder = folders.find((one) => `/${path}`.startsWith(`${one}/`));
  if (folder === undefined) return;
  try {
    if (!(await makeFolders(folder, dirname(`/${path}`).slice(folder.length + 1)))) return;
    await writeFile(`/${path}`, content, {
      flag: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
    });
  } catch (error) {
    // Two entries may claim one path, once as a file and once as a folder: the first one wins.
    if (!REFUSED.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** False where a link is in the way: it may stand there because we have put it there, and nothing is written through it. */
async function makeFolders(folder: string, path: string): Promise<boolean> {
  let at = folder;
  for (const part of path.split('/').filter((name) => name !== '')) {
    at = join(at, part);
    const there = await lstat(at).catch(() => null);
    if (there === null) await mkdir(at);
    else if (!there.isDirectory()) return false;
  }
  return true;
}
