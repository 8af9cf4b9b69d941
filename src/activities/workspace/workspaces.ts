import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError } from '../../errors.ts';
import { checkFiles, type WorkspaceFile } from './check-files.ts';
import { git } from './git.ts';
import { BUILD_BRANCH, importStream } from './import-stream.ts';
import { ensureRepository } from './repository.ts';
import { withoutStaleLocks } from './stale-locks.ts';
import { type FilesForPrompt, listTree, readTree, type TreeFile } from './tree.ts';

/** Where an attempt stands: `run` is the try of the activity, `epoch` the workflow's fence. Together they name one branch. */
export type AttemptKey = Readonly<{ phase: string; attempt: number; epoch: number; run: number }>;

export type AttemptCommit = Readonly<{ commit: string; tree: string; ref: string }>;

export type CommitAttemptInput = Readonly<{
  workflowId: string;
  /** The commit that the files are put on; null for the first. */
  base: string | null;
  /** The last accepted commit: the build's branch is moved there in the same process. */
  advanceTo: string | null;
  attempt: AttemptKey;
  files: readonly WorkspaceFile[];
  /** A role's wire name. */
  author: string;
  message: string;
  trailers: Readonly<Record<string, string>>;
  /** The time written into the commit, ms since 1970. The same input gives the same commit. */
  atMs: number;
  signal: AbortSignal;
}>;

type At = Readonly<{ workflowId: string; commit: string; signal: AbortSignal }>;

/**
 * The git repositories of the builds, one bare repository each. All calls are safe to repeat and fail with
 * `workspace_failed`; a cancelled attempt can only leave a branch of its own behind.
 */
export type Workspaces = Readonly<{
  /** Writes one commit on a branch of this attempt alone. Hostile files are refused with `invalid_phase_result` and faults. */
  commitAttempt(input: CommitAttemptInput): Promise<AttemptCommit>;
  /** Moves the build's branch, forward or back, to an accepted commit. */
  advanceBuild(input: At): Promise<void>;
  /** Writes the files of a commit into a folder, which is made when missing and should be empty. */
  exportTree(input: At & Readonly<{ intoDir: string }>): Promise<void>;
  listFiles(input: At): Promise<TreeFile[]>;
  /** The text files of a commit, up to `limitBytes` of content in all. */
  readFiles(input: At & Readonly<{ limitBytes: number }>): Promise<FilesForPrompt>;
  /** The hash of a commit's tree. */
  treeOf(input: At): Promise<string>;
  /** Sets the tag `name`, which may exist. */
  setTag(input: At & Readonly<{ name: string }>): Promise<void>;
  /** Removes the tag `name`, which may be missing, as may the repository. */
  removeTag(input: Readonly<{ workflowId: string; name: string; signal: AbortSignal }>): Promise<void>;
}>;

const WORKFLOW_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const WIRE_NAME = /^[a-z][a-z_]{0,63}$/;
const TAG_NAME = /^[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*$/;

/** @param rootDir the folder of all repositories; it is made when first needed. */
export function createWorkspaces({ rootDir }: Readonly<{ rootDir: string }>): Workspaces {
  const root = resolve(rootDir);
  const repositoryOf = (workflowId: string): string =>
    join(root, `${checked(workflowId, WORKFLOW_ID, 'workflow id')}.git`);
  const sourceOf = (at: At) => ({
    repository: repositoryOf(at.workflowId),
    commit: checked(at.commit, COMMIT, 'commit'),
    signal: at.signal,
  });
  const update = async (workflowId: string, signal: AbortSignal, args: readonly string[]): Promise<void> => {
    const repository = repositoryOf(workflowId);
    await withoutStaleLocks(repository, () => git({ repository, args: ['update-ref', ...args], signal }));
  };
  return {
    async commitAttempt(input) {
      const repository = repositoryOf(input.workflowId);
      const ref = attemptRef(input.attempt);
      const parts = importStream({ ...checkedContent(input), ref });
      await ensureRepository(repository);
      const args = ['fast-import', '--quiet', '--force', '--done'];
      const output = await withoutStaleLocks(repository, () =>
        git({ repository, args, input: parts, signal: input.signal }),
      );
      return { ...hashesOf(output.toString('utf8')), ref };
    },
    advanceBuild: (at) => update(at.workflowId, at.signal, [BUILD_BRANCH, checked(at.commit, COMMIT, 'commit')]),
    exportTree: (at) => exportInto(sourceOf(at), at.intoDir),
    listFiles: async (at) => (await listTree(sourceOf(at))).map(({ path, bytes }) => ({ path, bytes })),
    readFiles: (at) => readTree(sourceOf(at), at.limitBytes),
    async treeOf(at) {
      const { repository, commit, signal } = sourceOf(at);
      const output = await git({ repository, args: ['rev-parse', '--verify', `${commit}^{tree}`], signal });
      return output.toString('utf8').trim();
    },
    setTag: (at) => update(at.workflowId, at.signal, [tagRef(at.name), checked(at.commit, COMMIT, 'commit')]),
    async removeTag({ workflowId, name, signal }) {
      await ensureRepository(repositoryOf(workflowId));
      await update(workflowId, signal, ['-d', tagRef(name)]);
    },
  };
}

async function exportInto(
  source: Readonly<{ repository: string; commit: string; signal: AbortSignal }>,
  intoDir: string,
): Promise<void> {
  await mkdir(intoDir, { recursive: true });
  const index = join(source.repository, `index-${randomUUID()}`);
  try {
    await git({
      repository: source.repository,
      args: [`--work-tree=${resolve(intoDir)}`, 'read-tree', '--reset', '-u', source.commit],
      env: { GIT_INDEX_FILE: index },
      signal: source.signal,
    });
  } finally {
    await Promise.all([rm(index, { force: true }), rm(`${index}.lock`, { force: true })]);
  }
}

function checkedContent(input: CommitAttemptInput): CommitAttemptInput {
  const faults = checkFiles(input.files);
  if (faults.length > 0) {
    const first = faults[0];
    throw new AppError('invalid_phase_result', `The files cannot be written: ${first?.at} ${first?.fault}`, { faults });
  }
  if (input.base !== null) checked(input.base, COMMIT, 'base commit');
  if (input.advanceTo !== null) checked(input.advanceTo, COMMIT, 'accepted commit');
  checked(input.author, WIRE_NAME, 'author');
  return input;
}

function attemptRef({ phase, attempt, epoch, run }: AttemptKey): string {
  for (const number of [attempt, epoch, run]) checked(String(number), /^\d{1,15}$/, 'attempt, epoch or run');
  return `refs/heads/attempts/${checked(phase, WIRE_NAME, 'phase')}-${attempt}-e${epoch}-r${run}`;
}

function tagRef(name: string): string {
  return `refs/tags/${checked(name, TAG_NAME, 'tag name')}`;
}

function hashesOf(output: string): Readonly<{ commit: string; tree: string }> {
  const found = /^(?<commit>[0-9a-f]{40,64})\n040000 tree (?<tree>[0-9a-f]{40,64})\t/.exec(output)?.groups;
  if (found?.commit === undefined || found.tree === undefined) {
    throw new AppError(
      'workspace_failed',
      `git fast-import answered ${JSON.stringify(output.slice(0, 200))}, not two hashes.`,
    );
  }
  return { commit: found.commit, tree: found.tree };
}

function checked(value: string, rule: RegExp, what: string): string {
  if (rule.test(value)) return value;
  throw new AppError(
    'workspace_failed',
    `The ${what} ${JSON.stringify(value.slice(0, 80))} is not of the form ${rule.source}.`,
  );
}
