import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepBundle } from '../../src/activities/workspace/keep-bundle.ts';
import { type AttemptCommit, createWorkspaces } from '../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../src/artifacts/artifact-store.ts';
import { percentile } from '../statistics.ts';

/** Files of an attempt, each changed as a whole. */
const FILES = 200;
const LINES_PER_FILE = 60;

type Times = Readonly<{ p50Ms: number; p95Ms: number }>;

export type WorkspaceTimes = Readonly<{
  rounds: number;
  files: number;
  /** An attempt on the one before it: checked against its tree, committed, and kept as a bundle. */
  commit: Times;
  /** The part of it that makes and stores the bundle. */
  bundle: Times;
  /** The last attempt with all before it, into an empty folder. */
  fetch: Times;
}>;

const timesOf = (took: readonly number[]): Times => ({ p50Ms: percentile(took, 50), p95Ms: percentile(took, 95) });

/** Source code as models write it: no two rounds and no two files are the same. */
const filesOf = (round: number) =>
  Array.from({ length: FILES }, (_, file) => ({
    path: `src/part-${file % 12}/module-${file}.js`,
    content: Array.from(
      { length: LINES_PER_FILE },
      (__, line) => `export const value${line} = compute(${round}, ${file * line}); // of module ${file}\n`,
    ).join(''),
  }));

async function timed<T>(took: number[], work: () => Promise<T>): Promise<T> {
  const startedAtMs = performance.now();
  const done = await work();
  took.push(performance.now() - startedAtMs);
  return done;
}

/** Commits, bundles and fetches on this machine's disk, one at a time. */
export async function measureWorkspace({ rounds }: Readonly<{ rounds: number }>): Promise<WorkspaceTimes> {
  const dir = await mkdtemp(join(tmpdir(), 'bench-workspace-'));
  const signal = new AbortController().signal;
  const workflowId = 'bench';
  try {
    const store = createFolderStore(join(dir, 'artifacts'));
    const workspaces = createWorkspaces({ rootDir: join(dir, 'first'), store });
    const [commits, bundles, fetches]: [number[], number[], number[]] = [[], [], []];
    let last: AttemptCommit | null = null;
    for (let round = 0; round < rounds; round += 1) {
      const base: AttemptCommit | null = last;
      const made: AttemptCommit = await timed(commits, () =>
        workspaces.commitAttempt({
          workflowId,
          base: base?.commit ?? null,
          bundle: base?.bundle,
          advanceTo: base?.commit ?? null,
          attempt: { phase: 'implementation', attempt: round, epoch: 0, run: 1 },
          files: filesOf(round),
          author: 'code_writer',
          message: `attempt ${round}`,
          trailers: { Build: 'bench', Phase: 'implementation', Attempt: String(round) },
          atMs: round * 1000,
          signal,
        }),
      );
      const parent = base === null ? null : { commit: base.commit, bundle: base.bundle };
      const repository = join(dir, 'first', `${workflowId}.git`);
      // Into a store of its own: what is there already would not be written again.
      const empty = createFolderStore(join(dir, `artifacts-${round}`));
      const either = { put: empty.put, get: store.get };
      await timed(bundles, () =>
        keepBundle({ repository, store: either, commit: made.commit, ref: made.ref, parent, signal }),
      );
      const elsewhere = createWorkspaces({ rootDir: join(dir, `other-${round}`), store });
      const { commit, bundle } = made;
      await timed(fetches, () => elsewhere.treeOf({ workflowId, commit, bundle, signal }));
      last = made;
    }
    const [commit, bundle, fetch] = [timesOf(commits), timesOf(bundles), timesOf(fetches)];
    return { rounds, files: FILES, commit, bundle, fetch };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
