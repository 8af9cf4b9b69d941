import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { ReleaseInput } from '../../../src/activities/release/press.ts';
import { createReleases } from '../../../src/activities/release/release.ts';
import { git } from '../../../src/activities/workspace/git.ts';
import { createWorkspaces, type Workspaces } from '../../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import type { PublishTarget } from '../../../src/release-settings.ts';

const signal = new AbortController().signal;

export const FACTS: ReleaseInput['facts'] = {
  requirements: 'a slugifier',
  phases: [],
  tests: { measured: true, passed: true, tests: 2, names: ['a', 'b'] },
  coverage: 95,
  simulated: true,
  roles: [{ role: 'code_writer', model: 'gpt-4', tokens: 7 }],
  tokens: 9,
  testReport: Buffer.from('{"tests":2}'),
};

/** Where all of it lies: a process that is killed and the test that looks share it. */
export function openPress(dir: string, target: PublishTarget = { kind: 'folder' }) {
  const store = createFolderStore(join(dir, 'artifacts'));
  const workspaces = createWorkspaces({ rootDir: join(dir, 'repositories'), store });
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
  const settings = { store, workspaces, releasesDir: join(dir, 'releases'), target, log };
  return { store, workspaces, logged, settings, releases: createReleases(settings) };
}

type Commit = Awaited<ReturnType<Workspaces['commitAttempt']>>;

/** Real git, a real store and real folders in a folder of their own. */
export async function pressFixture(target?: PublishTarget) {
  const dir = await mkdtemp(join(tmpdir(), 'releases-'));
  const press = openPress(dir, target);
  const workflowId = 'released-build';
  const commitOf = (content: string, base: Commit | null = null): Promise<Commit> =>
    press.workspaces.commitAttempt({
      workflowId,
      base: base?.commit ?? null,
      bundle: base?.bundle,
      advanceTo: null,
      attempt: { phase: 'deployment', attempt: 1, epoch: 0, run: 1 },
      files: [
        { path: 'src/a.js', content },
        { path: 'release.json', content: 'the product’s own' },
      ],
      author: 'release_manager',
      message: 'm',
      trailers: {},
      atMs: 1_600_000_000_000,
      signal,
    });
  const { commit, bundle } = await commitOf('a\n');
  const build = { workflowId, buildId: 'build-1', projectId: 'project-1', signal };
  const input: ReleaseInput = {
    ...build,
    commit: { commit, bundle },
    branch: 'branch-1',
    attempt: 1,
    run: 1,
    atMs: 1_700_000_000_000,
    base: null,
    version: '1.0.0',
    notes: 'first',
    facts: FACTS,
  };
  const repository = join(dir, 'repositories', `${workflowId}.git`);
  const tags = async (of = repository): Promise<string> => {
    const args = ['for-each-ref', '--format=%(refname) %(objectname)', 'refs/tags', 'refs/heads/q'];
    return (await git({ repository: of, args, signal })).toString().trim();
  };
  return {
    ...press,
    dir,
    build,
    input,
    commitOf,
    tags,
    buildDir: join(dir, 'releases', 'project-1', 'build-1'),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

export type PressFixture = Awaited<ReturnType<typeof pressFixture>>;

/** A bare repository, empty, as an operator makes one. */
export function bareRepository(path: string): string {
  execFileSync('git', ['init', '--quiet', '--bare', path]);
  return path;
}
