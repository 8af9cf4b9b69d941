import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../errors.ts';
import { previewOf } from './preview.ts';

/** What travels through Temporal instead of a large value: its address, its size in bytes and its first words. */
export type ArtifactRef = Readonly<{ sha256: string; bytes: number; preview: string }>;

/**
 * Content-addressed store of everything too large for Temporal's history. What was put is never changed.
 *
 * `put` is safe to repeat and to race. `get` fails with `artifact_missing` when the content is absent or damaged.
 */
export type ArtifactStore = Readonly<{
  put(content: string | Uint8Array): Promise<ArtifactRef>;
  get(sha256: string): Promise<Buffer>;
}>;

/** The largest artifact that is taken, in bytes. */
export const ARTIFACT_LIMIT_BYTES = 64 * 1024 * 1024;

/** Longer than any write takes, in ms. */
const LEFTOVER_AGE_MS = 60 * 60_000;
const FULL_CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT'];
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * The default driver: a folder, which may be a mount that several machines share. It is created when first needed.
 *
 * `put` fails with `body_too_large` above 64 MiB and with `workspace_failed` when the disk is full; other faults of the disk
 * come through as Node reports them.
 */
export function createFolderStore(dir: string): ArtifactStore {
  const pathOf = (sha256: string): string => join(dir, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  const unfinished = join(dir, 'unfinished');
  let isSwept = false;
  return {
    async put(content) {
      const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
      if (bytes.byteLength > ARTIFACT_LIMIT_BYTES) throw tooLarge(bytes.byteLength);
      const sha256 = sha256Of(bytes);
      const path = pathOf(sha256);
      // A file of another size is what a full disk or a lost write left: it is written anew.
      if ((await sizeOf(path)) !== bytes.byteLength) {
        if (!isSwept) await sweep(unfinished);
        isSwept = true;
        await writeWhole(join(unfinished, randomUUID()), path, bytes);
      }
      return { sha256, bytes: bytes.byteLength, preview: previewOf(content) };
    },
    async get(sha256) {
      if (!SHA256.test(sha256)) throw missing(sha256, 'is no sha256: 64 lower-case hex digits are expected');
      const content = await readFile(pathOf(sha256)).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') throw missing(sha256, 'is not in ARTIFACTS_DIR: all workers must share one');
        throw error;
      });
      if (sha256Of(content) !== sha256) throw missing(sha256, 'is damaged in ARTIFACTS_DIR: restore it from a backup');
      return content;
    },
  };
}

/** Writes under a name that is never an artifact's, so what a crash leaves behind is never read. */
async function writeWhole(temporary: string, path: string, bytes: Uint8Array): Promise<void> {
  try {
    const file = await inFolder(temporary, () => open(temporary, 'wx'));
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await inFolder(path, () => rename(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw FULL_CODES.includes(codeOf(error)) ? diskFull() : error;
  }
}

/** Does work on a path, whose folder is made when it turns out to be missing. */
async function inFolder<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true });
    return await work();
  }
}

/** Removes what killed processes were writing; what is younger may have a living owner. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const changedAtMs = await stat(path).then(
      (found) => found.mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - changedAtMs > LEFTOVER_AGE_MS) await rm(path, { force: true }).catch(() => undefined);
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function missing(sha256: string, why: string): AppError {
  return new AppError('artifact_missing', `Artifact ${JSON.stringify(sha256.slice(0, 80))} ${why}.`);
}

function diskFull(): AppError {
  return new AppError(
    'workspace_failed',
    'The disk of the artifact store is full: free space in ARTIFACTS_DIR. What was to be stored is stored when it is tried again.',
  );
}

function tooLarge(bytes: number): AppError {
  return new AppError(
    'body_too_large',
    `The artifact has ${bytes} bytes; at most ${ARTIFACT_LIMIT_BYTES} are taken. Split it, or keep it in the workspace.`,
  );
}
