import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import { AppError } from '../../errors.ts';
import { checkFiles, type TreeEntry, type WorkspaceFile } from '../../machine/file-paths.ts';
import type { Source } from '../../machine/source.ts';
import type { SourceRules } from '../../source-paths.ts';
import { archivePrefix, changedLinesOf, diffOf, type LineRange } from './diff.ts';
import { exportInto } from './export-tree.ts';
import { git, tellingDiskFaults } from './git.ts';
import { BUILD_BRANCH, importStream } from './import-stream.ts';
import { keepBundle } from './keep-bundle.ts';
import { sweepRepository, sweepRoot } from './leftovers.ts';
import { onCommit } from './on-commit.ts';
import { type OpenedSource, openSource, SOURCE_LIMITS, type SourceLimits } from './open-source.ts';
import { ensureRepository } from './repository.ts';
import { withoutStaleLocks } from './stale-locks.ts';
import {
  type ChooseFiles,
  type CommitAt,
  type FilesForPrompt,
  listEntries,
  listTree,
  readTree,
  type TreeFile,
} from './tree.ts';

/** Where an attempt stands: `run` is the try of the activity, `epoch` the workflow's fence. Together they name one branch. */
export type AttemptKey = Readonly<{ phase: string; attempt: number; epoch: number; run: number }>;

/** `bundle`: the manifest in the artifact store by which any worker can fetch the commit. */
export type AttemptCommit = Readonly<{ commit: string; tree: string; ref: string; bundle: string }>;

export type CommitAttemptInput = Readonly<{
  workflowId: string;
  /** The commit that the files are put on; null for the first. */
  base: string | null;
  /** The bundle of the base. */
  bundle?: string | undefined;
  /** The last accepted commit: the build's branch is moved there in the same process. */
  advanceTo: string | null;
  attempt: AttemptKey;
  /** Whole contents. A file that is executable in the base stays so. */
  files: readonly WorkspaceFile[];
  /** Paths of the base that go. Default none. */
  deleted?: readonly string[];
  /** A role's wire name. */
  author: string;
  message: string;
  trailers: Readonly<Record<string, string>>;
  /** The time written into the commit, ms since 1970. The same input gives the same commit. */
  atMs: number;
  signal: AbortSignal;
}>;

/** A commit of a build. `bundle` is where it is fetched from when the repository on this machine does not have it. */
type At = Readonly<{ workflowId: string; commit: string; bundle?: string | undefined; signal: AbortSignal }>;

export type SourceInput = Readonly<{ workflowId: string; source: Source; rules: SourceRules; signal: AbortSignal }>;

/**
 * The git repositories of the builds, one bare repository each. All calls are safe to repeat and fail with
 * `workspace_failed`, or with `artifact_missing` where a commit has to be fetched and cannot be; a cancelled attempt can
 * only leave a branch of its own behind.
 */
export type Workspaces = Readonly<{
  /**
   * Fetches existing code, which becomes the first commit that attempts build on, with its history. Nothing of it is run, no
   * submodules and no large files (LFS) come along, and what a work tree has beside its commits is not taken.
   *
   * @throws AppError `source_refused` or `source_unusable` for what another try cannot mend; `source_unreachable`
   */
  openSource(input: SourceInput): Promise<OpenedSource>;
  /**
   * Writes one commit on a branch of this attempt alone, and keeps its bundle. Hostile files, and files that do not fit what
   * is there, are refused with `invalid_phase_result` and faults. A second commit of the same attempt takes its place.
   */
  commitAttempt(input: CommitAttemptInput): Promise<AttemptCommit>;
  /** Moves the build's branch, forward or back, to an accepted commit. */
  advanceBuild(input: At): Promise<void>;
  /**
   * Writes the files of a commit into a folder, which is made when missing and should be empty. A link that could lead out
   * of the folder becomes a file that holds where it led; of a submodule there is an empty folder.
   */
  exportTree(input: At & Readonly<{ intoDir: string }>): Promise<void>;
  /** The commit's files. Links and submodules are none. */
  listFiles(input: At): Promise<TreeFile[]>;
  /** Everything in the commit's tree, links and submodules as well. */
  listEntries(input: At): Promise<readonly TreeEntry[]>;
  /** The text files of a commit, or the chosen ones of them, up to `limitBytes` of content in all. */
  readFiles(input: At & Readonly<{ limitBytes: number; choose?: ChooseFiles | undefined }>): Promise<FilesForPrompt>;
  /** What has changed since `base` (null: since nothing), as a unified diff; over `limitBytes` it is cut, and says so. */
  diff(input: At & Readonly<{ base: string | null; limitBytes: number }>): Promise<string>;
  /** The lines that were added or changed since `base`, by file. */
  changedLines(input: At & Readonly<{ base: string | null }>): Promise<ReadonlyMap<string, readonly LineRange[]>>;
  /** The files as tar.gz below a folder `prefix`. The same commit gives the same bytes. */
  archive(input: At & Readonly<{ prefix: string }>): Promise<Buffer>;
  /** The path of the bare repository, with the commit and its history in it: for whoever pushes it elsewhere. */
  repositoryWith(input: At): Promise<string>;
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
const compressed = promisify(gzip);

export type WorkspaceSettings = Readonly<{
  /** The folder of all repositories; it is made when first needed. */
  rootDir: string;
  /** Where the bundles are kept; all workers share it. */
  store: ArtifactStore;
  sourceLimits?: SourceLimits;
}>;

export function createWorkspaces({ rootDir, store, sourceLimits = SOURCE_LIMITS }: WorkspaceSettings): Workspaces {
  const root = resolve(rootDir);
  const repositoryOf = (workflowId: string): string =>
    join(root, `${checked(workflowId, WORKFLOW_ID, 'workflow id')}.git`);
  const withCommit: WithCommit = async ({ workflowId, bundle, signal, ...at }, work) => {
    const commit = checked(at.commit, COMMIT, 'commit');
    return await onCommit({ repository: repositoryOf(workflowId), commit, bundle, store, signal }, work);
  };
  const update = (repository: string, signal: AbortSignal, args: readonly string[]): Promise<Buffer> =>
    withoutStaleLocks(repository, () => git({ repository, args: ['update-ref', ...args], signal }));
  const pointTo = (ref: string, at: At): Promise<void> =>
    withCommit(at, async ({ repository, commit, signal }) => void (await update(repository, signal, [ref, commit])));
  const prepare = createPreparation(root);
  return {
    async openSource({ workflowId, ...input }) {
      const repository = repositoryOf(workflowId);
      await prepare(repository);
      return await openSource({ ...input, root, repository, store, limits: sourceLimits });
    },
    async commitAttempt(input) {
      const ref = attemptRef(input.attempt);
      checkNames(input);
      // Before anything is made: files that are hostile by themselves leave not even a repository.
      if (input.base === null) refuseFaults(input, []);
      const repository = repositoryOf(input.workflowId);
      await prepare(repository);
      const write = (): Promise<Omit<AttemptCommit, 'bundle'>> => writeCommit(input, repository, ref);
      const { base, bundle, signal } = input;
      const made = await (base === null ? write() : withCommit({ ...input, commit: base }, write));
      const parent = base === null ? null : { commit: base, bundle };
      return { ...made, bundle: await keepBundle({ repository, store, commit: made.commit, ref, parent, signal }) };
    },
    advanceBuild: (at) => pointTo(BUILD_BRANCH, at),
    ...createReading(withCommit),
    setTag: (at) => pointTo(tagRef(at.name), at),
    async removeTag({ workflowId, name, signal }) {
      const repository = repositoryOf(workflowId);
      await prepare(repository);
      await update(repository, signal, ['-d', tagRef(name)]);
    },
  };
}

type WithCommit = <T>(at: At, work: (source: CommitAt) => Promise<T>) => Promise<T>;
type Reading =
  | 'exportTree'
  | 'listFiles'
  | 'readFiles'
  | 'listEntries'
  | 'diff'
  | 'changedLines'
  | 'archive'
  | 'repositoryWith'
  | 'treeOf';

/** What only looks at a commit. */
function createReading(withCommit: WithCommit): Pick<Workspaces, Reading> {
  return {
    exportTree: (at) => withCommit(at, (source) => exportInto(source, at.intoDir)),
    listFiles: (at) =>
      withCommit(at, async (source) => (await listTree(source)).map(({ path, bytes }) => ({ path, bytes }))),
    readFiles: (at) => withCommit(at, (source) => readTree(source, at.limitBytes, at.choose)),
    listEntries: (at) => withCommit(at, listEntries),
    diff: (at) => withCommit(at, (source) => diffOf({ ...source, base: baseOf(at) }, at.limitBytes)),
    changedLines: (at) => withCommit(at, (source) => changedLinesOf({ ...source, base: baseOf(at) })),
    archive: (at) =>
      withCommit(at, async (source) => {
        const args = ['archive', '--format=tar', `--prefix=${archivePrefix(at.prefix)}`, source.commit];
        return await compressed(await git({ ...source, args }));
      }),
    repositoryWith: (at) =>
      withCommit(at, async (source) => {
        await git({ ...source, args: ['cat-file', '-e', `${source.commit}^{tree}`] });
        return source.repository;
      }),
    treeOf: (at) =>
      withCommit(at, async ({ repository, commit, signal }) => {
        const output = await git({ repository, args: ['rev-parse', '--verify', `${commit}^{tree}`], signal });
        return output.toString('utf8').trim();
      }),
  };
}

/** Makes a repository where there is none, and clears away what killed and failed processes have left. */
function createPreparation(root: string): (repository: string) => Promise<void> {
  let isRootSwept = false;
  return async (repository) => {
    await tellingDiskFaults(() => ensureRepository(repository));
    if (!isRootSwept) await sweepRoot(root);
    isRootSwept = true;
    await sweepRepository(repository);
  };
}

async function writeCommit(
  input: CommitAttemptInput,
  repository: string,
  ref: string,
): Promise<Omit<AttemptCommit, 'bundle'>> {
  const { base, deleted = [], signal } = input;
  const entries = base === null ? [] : await listEntries({ repository, commit: base, signal });
  if (base !== null) refuseFaults(input, entries);
  const executable = new Set(entries.filter((entry) => entry.executable).map(({ path }) => path));
  const parts = importStream({ ...input, deleted, executable, ref });
  // Files of one answer have little in common: without deltas the pack is smaller and made in half the time.
  const args = ['fast-import', '--quiet', '--force', '--done', '--depth=0'];
  const output = await withoutStaleLocks(repository, () => git({ repository, args, input: parts, signal }));
  return { ...hashesOf(output.toString('utf8')), ref };
}

function refuseFaults({ files, deleted = [] }: CommitAttemptInput, existing: readonly TreeEntry[]): void {
  const faults = checkFiles(files, { deleted, existing });
  const [first] = faults;
  if (first === undefined) return;
  throw new AppError('invalid_phase_result', `The files cannot be written: ${first.at} ${first.fault}`, { faults });
}

function checkNames(input: CommitAttemptInput): void {
  if (input.base !== null) checked(input.base, COMMIT, 'base commit');
  if (input.advanceTo !== null) checked(input.advanceTo, COMMIT, 'accepted commit');
  checked(input.author, WIRE_NAME, 'author');
}

const baseOf = ({ base }: Readonly<{ base: string | null }>): string | null =>
  base === null ? null : checked(base, COMMIT, 'base commit');

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
