import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeRelease, type ReleaseInput, undoRelease } from '../../../src/activities/release/release.ts';
import { safeName } from '../../../src/activities/release/safe-name.ts';
import { git } from '../../../src/activities/workspace/git.ts';
import { createWorkspaces } from '../../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';

const workflowId = 'released-build';
const signal = new AbortController().signal;
let dir = '';
let input: ReleaseInput;

async function commitOf(content: string): Promise<string> {
  const { commit } = await createWorkspaces({
    rootDir: join(dir, 'repositories'),
    store: createFolderStore(join(dir, 'artifacts')),
  }).commitAttempt({
    workflowId,
    base: null,
    advanceTo: null,
    attempt: { phase: 'deployment', attempt: 1, epoch: 0, run: 1 },
    files: [
      { path: 'src/a.js', content },
      { path: 'release.json', content: 'the product’s own' },
    ],
    author: 'release_manager',
    message: 'm',
    trailers: {},
    atMs: 0,
    signal,
  });
  return commit;
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'releases-'));
  input = {
    workspaces: createWorkspaces({
      rootDir: join(dir, 'repositories'),
      store: createFolderStore(join(dir, 'artifacts')),
    }),
    releasesDir: join(dir, 'releases'),
    workflowId,
    buildId: 'build-1',
    projectId: 'project-1',
    commit: await commitOf('a\n'),
    version: '1.0.0',
    notes: 'first',
    attempt: 1,
    atMs: 1_700_000_000_000,
    signal,
  };
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const tags = async () => {
  const repository = join(dir, 'repositories', `${workflowId}.git`);
  const args = ['for-each-ref', '--format=%(refname) %(objectname)', 'refs/tags'];
  return (await git({ repository, args, signal })).toString().trim();
};

describe('a release', () => {
  test('is a folder with the product and a manifest, and a tag', async () => {
    const release = await makeRelease(input);
    expect(release).toMatchObject({ version: '1.0.0', tag: 'release/1.0.0-a1' });
    expect(release.path).toBe(join(dir, 'releases', 'project-1', 'build-1', '1.0.0-a1'));
    expect(await readFile(join(release.path, 'files', 'src', 'a.js'), 'utf8')).toBe('a\n');
    const manifest = JSON.parse(await readFile(join(release.path, 'release.json'), 'utf8'));
    expect(manifest).toMatchObject({ build_id: 'build-1', commit: input.commit, made_at: '2023-11-14T22:13:20.000Z' });
    expect(manifest.files.map((file: { path: string }) => file.path)).toEqual(['release.json', 'src/a.js']);
    expect(await tags()).toBe(`refs/tags/release/1.0.0-a1 ${input.commit}`);
  });

  test('is made once per build and attempt, and its tag is set again when a crash lost it', async () => {
    const first = await makeRelease(input);
    await input.workspaces.removeTag({ workflowId, name: first.tag, signal });
    await mkdir(join(dirname(first.path), '.new-left-by-a-crash'));
    expect(await makeRelease({ ...input, version: '2.0.0', atMs: 5 })).toEqual(first);
    expect(await tags()).toBe(`refs/tags/release/1.0.0-a1 ${input.commit}`);
    expect((await makeRelease({ ...input, attempt: 11 })).tag).toBe('release/1.0.0-a11');
    expect(await makeRelease(input)).toEqual(first);
  });

  test('is replaced when the same attempt releases another commit', async () => {
    await makeRelease(input);
    const commit = await commitOf('b\n');
    const second = await makeRelease({ ...input, commit, version: '1.1.0' });
    expect(await readdir(dirname(second.path))).toEqual(['1.1.0-a1']);
    expect(await tags()).toBe(`refs/tags/release/1.1.0-a1 ${commit}`);
  });

  test('can be taken back, again and again', async () => {
    await undoRelease(input);
    const { path } = await makeRelease(input);
    await undoRelease(input);
    await undoRelease(input);
    expect(await readdir(dirname(path))).toEqual([]);
    expect(await tags()).toBe('');
  });

  test('stays inside its folder whatever the names are', async () => {
    const names = ['../../x', '/etc', '..', '', 'a b', 'A', 'a', 'CON', 'x\0y', '🎉', 'v'.repeat(500), 'x.lock'];
    for (const [index, name] of names.entries()) {
      const hostile = { ...input, projectId: name, buildId: name, version: name, attempt: index };
      const { path } = await makeRelease(hostile);
      expect(path).toMatch(/\/releases\/[a-z0-9][\w.-]*\/[a-z0-9][\w.-]*\/[a-z0-9][\w.-]*$/);
      expect(path.startsWith(join(dir, 'releases'))).toBe(true);
    }
    expect(new Set(names.map(safeName)).size).toBe(names.length);
    expect(safeName(safeName('a b'))).not.toBe(safeName('a b'));
    expect((await readdir(dir)).sort()).toEqual(['artifacts', 'releases', 'repositories']);
  });
});
