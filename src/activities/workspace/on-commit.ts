import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import { AppError } from '../../errors.ts';
import { fetchBundle, hasCommit } from './fetch-bundle.ts';
import type { CommitAt } from './tree.ts';

/** `bundle`: where the commit is fetched from when the repository on this machine does not have it. */
type Kept = CommitAt & Readonly<{ bundle: string | undefined; store: Pick<ArtifactStore, 'get'> }>;

/**
 * Does work on a commit. Only when it failed is it looked whether the commit is there: so the usual case costs nothing. A git that
 * failed beside a commit that is there is tried once more: another worker may have fetched it between the failure and the look.
 */
export async function onCommit<T>(kept: Kept, work: (source: CommitAt) => Promise<T>): Promise<T> {
  const { repository, commit, bundle, store, signal } = kept;
  const source = { repository, commit, signal };
  try {
    return await work(source);
  } catch (error) {
    if (bundle === undefined || signal.aborted) throw error;
    const isThere = await hasCommit(repository, commit, signal);
    if (isThere && !isGitFailure(error)) throw error;
    if (!isThere) await fetchBundle({ ...source, store, bundle });
  }
  return await work(source);
}

const isGitFailure = (error: unknown): boolean => error instanceof AppError && error.code === 'workspace_failed';
