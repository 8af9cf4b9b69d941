import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import type { Source } from '../../machine/source.ts';
import type { SourceRules } from '../../source-paths.ts';
import { fetchBundle } from './fetch-bundle.ts';
import { fetchSource } from './fetch-source.ts';
import { git, runGit, tellingDiskFaults } from './git.ts';
import { keepBundle, SOURCE_REF } from './keep-bundle.ts';
import { readSource } from './read-source.ts';
import { ensureRepository } from './repository.ts';
import { tooLarge, unusable } from './source-failure.ts';

/** The code that a build begins with, as a commit with its bundle. */
export type OpenedSource = Readonly<{ commit: string; tree: string; bundle: string }>;

export type OpenSourceInput = Readonly<{
  root: string;
  /** The build's own repository, into which the source's commit comes. */
  repository: string;
  store: ArtifactStore;
  source: Source;
  rules: SourceRules;
  limits: SourceLimits;
  signal: AbortSignal;
}>;

/** What existing code may have at most. History beyond `packedBytes` is left out; a tree beyond its limits is refused. */
export type SourceLimits = Readonly<{ packedBytes: number; files: number; treeBytes: number }>;

export const SOURCE_LIMITS: SourceLimits = { packedBytes: 1024 ** 3, files: 100_000, treeBytes: 2 * 1024 ** 3 };

/** A repository of the largest size over a slow line. */
const FETCH_TIMEOUT_MS = 30 * 60_000;

/**
 * Fetches existing code into the build's repository and keeps its bundle. All of it is brought together elsewhere first, so
 * that a source that fails leaves the build's repository as it was. Opened again it gives the same, or what is there now.
 */
export async function openSource(input: OpenSourceInput): Promise<OpenedSource> {
  const { root, repository, store, signal } = input;
  const temporary = join(root, `.source-${randomUUID()}.git`);
  try {
    await tellingDiskFaults(() => ensureRepository(temporary));
    const commit = await bringIn(input, temporary);
    const tree = await checkedTree(input, temporary, commit);
    const kept = { repository: temporary, store, commit, ref: SOURCE_REF, parent: null, isSource: true };
    const bundle = await keepBundle({ ...kept, timeoutMs: FETCH_TIMEOUT_MS, signal });
    // From the store, as any worker would: so what is kept is known to be whole.
    await fetchBundle({ repository, store, commit, bundle, signal });
    return { commit, tree, bundle };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function bringIn({ source, rules, limits, signal }: OpenSourceInput, repository: string): Promise<string> {
  const common = { repository, ref: source.ref, limitBytes: limits.packedBytes, timeoutMs: FETCH_TIMEOUT_MS, signal };
  return source.kind === 'git'
    ? fetchSource({ ...common, url: source.url, privateAddresses: rules.privateAddresses })
    : readSource({ ...common, path: source.path, rules });
}

/** That the tree can be laid out whole, on the disks of workers and within their limits. */
async function checkedTree(
  { source, limits, signal }: OpenSourceInput,
  repository: string,
  commit: string,
): Promise<string> {
  const shown = JSON.stringify((source.kind === 'git' ? source.url : source.path).slice(0, 200));
  const list = await git({ repository, args: ['ls-tree', '-r', '-l', '-z', commit], signal });
  const entries = list.toString('latin1').split('\0').slice(0, -1);
  const bytes = entries.reduce((sum, entry) => sum + Number(/^\d+ blob [0-9a-f]+ +(\d+)\t/.exec(entry)?.[1] ?? 0), 0);
  if (entries.length > limits.files)
    throw tooLarge(shown, `has ${entries.length} files, and at most ${limits.files} are taken`);
  if (bytes > limits.treeBytes)
    throw tooLarge(shown, `has files of ${bytes} bytes in all, and at most ${limits.treeBytes} are taken`);
  // git's own rules for paths, as they will be when the tree is written out.
  const args = ['read-tree', commit];
  const end = await runGit({ repository, args, env: { GIT_INDEX_FILE: join(repository, 'index-check') }, signal });
  if (end.kind !== 'exited' || end.exitCode !== 0) {
    throw unusable(shown, 'has a path that no work tree can hold, such as one through .git: remove it from the tree');
  }
  return (await git({ repository, args: ['rev-parse', '--verify', `${commit}^{tree}`], signal })).toString().trim();
}
