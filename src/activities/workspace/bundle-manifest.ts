import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import { AppError } from '../../errors.ts';

/**
 * What stands behind a commit's `bundle`: a small JSON artifact that names a git bundle with the objects this commit added,
 * and the manifest of the commit that it builds on. So a repository is never stored anew for an attempt, and whoever has
 * the name of the newest manifest can fetch everything before it.
 */
export type Manifest = Readonly<{
  format: 1;
  commit: string;
  /** The branch that keeps the commit reachable. */
  ref: string;
  /** The artifacts that are the bundle, one after the other; more than one where it is large. */
  parts: readonly string[];
  bytes: number;
  /** The manifest of the commit that the bundle builds on; null when it needs nothing before it. */
  previous: string | null;
  /** Manifests to fetch before this one. */
  depth: number;
  /** Where the chain begins: on existing code. A long chain is closed by one bundle that builds on it. */
  anchor: Readonly<{ commit: string; manifest: string }> | null;
  /** Commits whose parents nobody has, because the source was a shallow clone. */
  shallow: readonly string[];
}>;

/** Bundles that are fetched one after another at most, beside that of existing code. */
export const CHAIN_LIMIT = 20;

const SHA256 = /^[0-9a-f]{64}$/;
const COMMIT = /^[0-9a-f]{40}$/;
const LARGEST_MANIFEST_BYTES = 1024 * 1024;

const isHash = (value: unknown): value is string => typeof value === 'string' && SHA256.test(value);
const isCommit = (value: unknown): value is string => typeof value === 'string' && COMMIT.test(value);
const isListOf = <T>(value: unknown, is: (entry: unknown) => entry is T): value is T[] =>
  Array.isArray(value) && value.every(is);

function isManifest(given: unknown): given is Manifest {
  if (typeof given !== 'object' || given === null) return false;
  const { format, commit, ref, parts, previous, anchor, shallow } = given as Partial<Record<keyof Manifest, unknown>>;
  return (
    format === 1 &&
    isCommit(commit) &&
    typeof ref === 'string' &&
    /^refs\/heads\/[a-z0-9_/-]+$/.test(ref) &&
    isListOf(parts, isHash) &&
    parts.length > 0 &&
    (previous === null || isHash(previous)) &&
    (anchor === null || (typeof anchor === 'object' && anchor !== undefined)) &&
    isListOf(shallow, isCommit)
  );
}

/** @throws AppError `artifact_missing` when it is not there, damaged, or something else than a manifest */
export async function readManifest(store: Pick<ArtifactStore, 'get'>, sha256: string): Promise<Manifest> {
  const content = await store.get(sha256);
  const given = content.length <= LARGEST_MANIFEST_BYTES ? parsed(content.toString('utf8')) : null;
  if (isManifest(given)) return given;
  throw new AppError(
    'artifact_missing',
    `The artifact ${JSON.stringify(sha256.slice(0, 80))} is no manifest of a bundle: the commit cannot be fetched from it.`,
  );
}

/** The manifests that a commit is fetched by, the oldest first. */
export async function readChain(store: Pick<ArtifactStore, 'get'>, sha256: string): Promise<Manifest[]> {
  const chain: Manifest[] = [];
  let next: string | null = sha256;
  // A chain is a link of hashes and so has an end; the bound is for one that somebody made long.
  while (next !== null && chain.length <= CHAIN_LIMIT + 1) {
    const manifest: Manifest = await readManifest(store, next);
    chain.unshift(manifest);
    next = manifest.previous;
  }
  return chain;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
