import { createHash } from 'node:crypto';
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import { AppError } from '../../errors.ts';
import { CHAIN_LIMIT, type Manifest, readManifest } from './bundle-manifest.ts';
import { git, tellingDiskFaults } from './git.ts';
import { shallowCommits } from './shallow.ts';

export type KeepBundleInput = Readonly<{
  repository: string;
  store: ArtifactStore;
  commit: string;
  ref: string;
  /** The commit that this one builds on, and its own bundle. Without that the bundle holds the whole history. */
  parent: Readonly<{ commit: string; bundle: string | undefined }> | null;
  /** True for existing code: attempts build on it for good, so it is never stored again. */
  isSource?: boolean;
  timeoutMs?: number;
  signal: AbortSignal;
}>;

/** Parts of a large bundle, in bytes: half of what an artifact may have, so that few are in memory. */
const PART_BYTES = 32 * 1024 * 1024;

type Basis = Pick<Manifest, 'previous' | 'depth' | 'anchor'> & Readonly<{ without: string | null }>;

const WHOLE: Basis = { previous: null, depth: 0, anchor: null, without: null };

/**
 * Keeps what a commit added to its parent in the artifact store. Safe to repeat; nothing in the repository changes.
 *
 * @returns the sha256 of the manifest, by which any worker can fetch the commit with its history
 * @throws AppError `workspace_failed`; what the store throws; the signal's reason when aborted
 */
export async function keepBundle(input: KeepBundleInput): Promise<string> {
  const { repository, store, commit, ref, signal } = input;
  const basis = await basisOf(input);
  const shallow = input.isSource ? await shallowCommits(repository) : [];
  const temporary = await tellingDiskFaults(() => mkdtemp(join(repository, 'tmp-')));
  try {
    const revisions = basis.without === null ? `${commit}\n` : `${commit}\n^${basis.without}\n`;
    await git({
      ...input,
      args: ['pack-objects', '--revs', '-q', '--window=0', join(temporary, 'kept')],
      input: [revisions],
    });
    const name = (await readdir(temporary)).find((file) => file.endsWith('.pack'));
    if (name === undefined) throw new AppError('workspace_failed', 'git pack-objects made no pack.');
    const head = bundleHead(commit, ref, basis.without);
    const { parts, bytes, stored } = await storeParts(store, join(temporary, name), head, signal);
    const { previous, depth, anchor } = basis;
    const manifest: Manifest = { format: 1, commit, ref, parts, bytes, previous, depth, anchor, shallow };
    const [{ sha256 }] = await Promise.all([store.put(JSON.stringify(manifest)), ...stored]);
    return sha256;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** On what the bundle builds. A long chain is closed: by one bundle on existing code, or with everything. */
async function basisOf({ store, parent }: KeepBundleInput): Promise<Basis> {
  if (parent?.bundle === undefined) return WHOLE;
  const before = await readManifest(store, parent.bundle).catch((error: unknown) => {
    // What is lost of the parent is kept anew with this commit.
    if (error instanceof AppError && error.code === 'artifact_missing') return null;
    throw error;
  });
  if (before === null || before.commit !== parent.commit) return WHOLE;
  const anchor = before.ref === SOURCE_REF ? { commit: before.commit, manifest: parent.bundle } : before.anchor;
  const onParent = { previous: parent.bundle, depth: before.depth + 1, anchor, without: parent.commit };
  if (before.depth + 1 < CHAIN_LIMIT) return onParent;
  return anchor === null ? WHOLE : { previous: anchor.manifest, depth: 1, anchor, without: anchor.commit };
}

/** The branch of the existing code that a build begins with. */
export const SOURCE_REF = 'refs/heads/source';

/** The head of a git bundle, version 2 (its format is documented by git): `git clone` and `git fetch` read the file. */
function bundleHead(commit: string, ref: string, without: string | null): Buffer {
  const needs = without === null ? '' : `-${without}\n`;
  return Buffer.from(`# v2 git bundle\n${needs}${commit} ${ref}\n${commit} HEAD\n\n`);
}

async function storeParts(store: ArtifactStore, pack: string, head: Buffer, signal: AbortSignal) {
  const file = await open(pack);
  try {
    const { size } = await file.stat();
    const bytes = head.length + size;
    if (bytes <= PART_BYTES) {
      const whole = Buffer.concat([head, await file.readFile()]);
      // Its hash is its address, so the manifest can be stored beside it, not after it.
      return { parts: [createHash('sha256').update(whole).digest('hex')], bytes, stored: [store.put(whole)] };
    }
    const parts: string[] = [];
    const buffer = Buffer.alloc(PART_BYTES);
    for (let start = 0; start < bytes; ) {
      signal.throwIfAborted();
      const used = start === 0 ? head.copy(buffer) : 0;
      const { bytesRead } = await file.read(buffer, used, PART_BYTES - used);
      parts.push((await store.put(buffer.subarray(0, used + bytesRead))).sha256);
      start += used + bytesRead;
    }
    return { parts, bytes, stored: [] };
  } finally {
    await file.close();
  }
}
