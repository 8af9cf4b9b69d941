import { execFileSync } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CommitAttemptInput,
  createWorkspaces,
  type Workspaces,
} from '../../../src/activities/workspace/workspaces.ts';
import { type ArtifactStore, createFolderStore } from '../../../src/artifacts/artifact-store.ts';

export const WORKFLOW_ID = '3f0c1f0e-6a53-4a38-9a54-0d2f4f1f8a11';
export const NEVER = new AbortController().signal;

/** A folder of its own with one machine's workspaces, and as many more machines as are asked for; they share the store. */
export type Machines = Readonly<{
  dir: string;
  store: ArtifactStore;
  workspaces: Workspaces;
  repository: string;
  another(name: string): Workspaces;
  /** Runs the machine's own git in the repository of the first machine. */
  show(...args: string[]): string;
  remove(): Promise<void>;
}>;

export async function openMachines(): Promise<Machines> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'workspaces-')));
  const store = createFolderStore(join(dir, 'artifacts'));
  const another = (name: string): Workspaces => createWorkspaces({ rootDir: join(dir, name), store });
  const repository = join(dir, 'first', `${WORKFLOW_ID}.git`);
  return {
    dir,
    store,
    workspaces: another('first'),
    repository,
    another,
    show: (...args) => execFileSync('git', [`--git-dir=${repository}`, ...args], { encoding: 'utf8' }).trim(),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

export const attempt = (number: number): CommitAttemptInput['attempt'] => ({
  phase: 'implementation',
  attempt: number,
  epoch: 0,
  run: 1,
});

export const attemptInput = (given: Partial<CommitAttemptInput> = {}): CommitAttemptInput => ({
  workflowId: WORKFLOW_ID,
  base: null,
  advanceTo: null,
  attempt: attempt(1),
  files: [{ path: 'src/a.js', content: 'a\n' }],
  author: 'code_writer',
  message: 'implementation, attempt 1',
  trailers: { Build: 'build-1', Phase: 'implementation', Attempt: '1' },
  atMs: 1_700_000_000_000,
  signal: NEVER,
  ...given,
});
