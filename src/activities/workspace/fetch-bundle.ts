import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import { AppError } from '../../errors.ts';
import { type Manifest, readChain } from './bundle-manifest.ts';
import { git, runGit, tellingDiskFaults } from './git.ts';
import { ensureRepository } from './repository.ts';
import { addShallowCommits } from './shallow.ts';
import { withoutStaleLocks } from './stale-locks.ts';

export type FetchBundleInput = Readonly<{
  repository: string;
  store: Pick<ArtifactStore, 'get'>;
  commit: string;
  bundle: string;
  signal: AbortSignal;
}>;

/** One bundle of the largest source, on a slow disk. */
const INDEX_TIMEOUT_MS = 10 * 60_000;

/** Whether a repository has a commit. False also when there is no repository. */
export async function hasCommit(repository: string, commit: string, signal: AbortSignal): Promise<boolean> {
  try {
    const end = await runGit({ repository, args: ['cat-file', '-e', `${commit}^{tree}`], signal });
    return end.kind === 'exited' && end.exitCode === 0;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AppError) return false;
    throw error;
  }
}

/**
 * Fetches a commit with its history from the artifact store into a repository, which is made when it is missing. Objects
 * come first and branches last, so that whatever is killed, a branch never leads to what is not there. Safe to race.
 *
 * @throws AppError `artifact_missing` when the store has lost a part or it is damaged; `workspace_failed`
 */
export async function fetchBundle(input: FetchBundleInput): Promise<void> {
  const { repository, store, commit, bundle, signal } = input;
  const chain = await readChain(store, bundle);
  if (chain.at(-1)?.commit !== commit) {
    throw new AppError(
      'artifact_missing',
      `The bundle ${bundle.slice(0, 12)}… is that of another commit than ${commit}.`,
    );
  }
  if (chain[0]?.previous !== null) {
    throw new AppError('artifact_missing', `The bundle ${bundle.slice(0, 12)}… is one of too long a chain to be ours.`);
  }
  await tellingDiskFaults(() => ensureRepository(repository));
  const lacking = await lackingOf(chain, repository, signal);
  for (const manifest of lacking) await bringIn(manifest, input);
  await checkWhole(commit, repository, signal);
  const updates = lacking.map(({ ref, commit: kept }) => `update ${ref} ${kept}\n`);
  await withoutStaleLocks(repository, () =>
    git({ repository, args: ['update-ref', '--stdin'], input: updates, signal }),
  );
}

/** What comes after the newest commit that is there: its history came before it. */
async function lackingOf(chain: readonly Manifest[], repository: string, signal: AbortSignal): Promise<Manifest[]> {
  const input = [chain.map(({ commit }) => `${commit}\n`).join('')];
  const lines = (await git({ repository, args: ['cat-file', '--batch-check'], input, signal })).toString().split('\n');
  const newest = chain.findLastIndex((_, index) => lines[index]?.includes(' commit ') ?? false);
  return chain.slice(newest + 1);
}

async function bringIn(manifest: Manifest, { repository, store, signal }: FetchBundleInput): Promise<void> {
  const temporary = await tellingDiskFaults(() => mkdtemp(join(repository, 'tmp-')));
  try {
    const pack = join(temporary, 'fetched.pack');
    await tellingDiskFaults(() => writePack(manifest, pack, store, signal));
    await tellingDiskFaults(() => addShallowCommits(repository, manifest.shallow));
    const args = ['index-pack', pack];
    const output = await git({ repository, args, timeoutMs: INDEX_TIMEOUT_MS, signal });
    const name = /^(?:pack\t)?([0-9a-f]{40})$/m.exec(output.toString())?.[1];
    if (name === undefined) throw damaged(manifest, 'git index-pack gave no name for it');
    await tellingDiskFaults(() => putInPlace(temporary, join(repository, 'objects', 'pack'), name));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** git looks for the index, so that goes last. Another worker's copy is the same, byte for byte. */
async function putInPlace(temporary: string, folder: string, name: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await rename(join(temporary, 'fetched.pack'), join(folder, `pack-${name}.pack`));
  await rename(join(temporary, 'fetched.idx'), join(folder, `pack-${name}.idx`));
}

/** The pack of a bundle: what follows its head. */
async function writePack(
  manifest: Manifest,
  path: string,
  store: Pick<ArtifactStore, 'get'>,
  signal: AbortSignal,
): Promise<void> {
  const file = await open(path, 'wx');
  try {
    for (const [index, part] of manifest.parts.entries()) {
      signal.throwIfAborted();
      const content = await store.get(part);
      const start = index === 0 ? content.indexOf('\n\n') + 2 : 0;
      if (index === 0 && (start < 2 || content.toString('latin1', start, start + 4) !== 'PACK')) {
        throw damaged(manifest, 'it holds no pack');
      }
      await file.writeFile(content.subarray(start));
    }
  } finally {
    await file.close();
  }
}

/** Walks everything that the commit leads to, so that what is lacking is told now and not in the middle of a phase. */
async function checkWhole(commit: string, repository: string, signal: AbortSignal): Promise<void> {
  const args = ['rev-list', '--objects', '--quiet', commit];
  const end = await runGit({ repository, args, timeoutMs: INDEX_TIMEOUT_MS, signal });
  if (end.kind === 'exited' && end.exitCode === 0) return;
  throw new AppError(
    'artifact_missing',
    `The bundles of commit ${commit} do not hold all of its history: restore ARTIFACTS_DIR from a backup, or roll back to before it.`,
  );
}

function damaged({ commit }: Manifest, why: string): AppError {
  return new AppError('artifact_missing', `The bundle of commit ${commit} cannot be used: ${why}.`);
}
