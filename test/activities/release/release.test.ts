import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createReleases } from '../../../src/activities/release/release.ts';
import { safeName } from '../../../src/activities/release/safe-name.ts';
import type { ReleaseManifest } from '../../../src/artifacts/release-manifest.ts';
import { type PressFixture, pressFixture } from './press-fixture.ts';

let press: PressFixture;
beforeEach(async () => {
  press = await pressFixture();
});
afterEach(() => press.remove());

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
const releasesIn = async (): Promise<string[]> => (await readdir(press.buildDir)).filter((name) => name !== '.records');
const manifestOf = async (sha: string): Promise<ReleaseManifest> => JSON.parse((await press.store.get(sha)).toString());

/** The whole content of a download, put together from the store. */
async function contentOf(manifest: ReleaseManifest, kind: string): Promise<Buffer> {
  const artifact = manifest.artifacts.find((one) => one.kind === kind);
  const parts = (artifact?.parts ?? []).map((part) => press.store.get(part.sha256));
  const content = Buffer.concat(await Promise.all(parts));
  expect({ bytes: content.length, sha256: sha256(content) }).toEqual({
    bytes: artifact?.bytes,
    sha256: artifact?.sha256,
  });
  return content;
}

describe('a release', () => {
  test('is a folder with the product and a manifest, a tag, and downloads in the artifact store', async () => {
    const release = await press.releases.make(press.input);
    expect(release).toMatchObject({ version: '1.0.0', tag: 'release/1.0.0-a1' });
    expect(release.path).toBe(join(press.buildDir, '1.0.0-a1'));
    expect(await readFile(join(release.path, 'files', 'src', 'a.js'), 'utf8')).toBe('a\n');
    expect(await press.tags()).toBe(`refs/tags/release/1.0.0-a1 ${press.input.commit.commit}`);
    const text = await readFile(join(release.path, 'release.json'));
    expect(text).toEqual(await press.store.get(release.manifest));
    const manifest = await manifestOf(release.manifest);
    expect(manifest).toMatchObject({
      build_id: 'build-1',
      workflow_id: 'released-build',
      requirements: 'a slugifier',
      commit: press.input.commit.commit,
      base_commit: null,
      tests: { names: ['a', 'b'] },
      coverage: 95,
      roles: [{ role: 'code_writer', model: 'gpt-4', tokens: 7 }],
      made_at: '2023-11-14T22:13:20.000Z',
    });
    expect(manifest.tree).toMatch(/^[0-9a-f]{40}$/);
    expect(manifest.files).toEqual([
      expect.objectContaining({ path: 'release.json' }),
      { path: 'src/a.js', bytes: 2, sha256: sha256(Buffer.from('a\n')) },
    ]);
    expect((await readdir(release.path)).sort()).toEqual(
      ['RELEASE_NOTES.md', 'build-1-1.0.0.tar.gz', 'files', 'release.json', 'test-report.json'].sort(),
    );
    expect((await contentOf(manifest, 'notes')).toString()).toBe('# build-1 1.0.0\n\nfirst\n');
    expect((await contentOf(manifest, 'test_report')).toString()).toBe('{"tests":2}');
  });

  test('has an archive of its files alone, whose size and sha256 are those that the manifest names', async () => {
    const release = await press.releases.make(press.input);
    const manifest = await manifestOf(release.manifest);
    const archive = await contentOf(manifest, 'archive');
    const { name, bytes, sha256: sum } = manifest.archive;
    expect({ bytes: archive.length, sum: sha256(archive) }).toEqual({ bytes, sum });
    expect(await readFile(join(release.path, name))).toEqual(archive);
    const listed = execFileSync('tar', ['-tzf', '-'], { input: archive, encoding: 'utf8' });
    expect(listed.split('\n').filter((line) => /[^/]$/.test(line))).toEqual([
      'build-1-1.0.0/release.json',
      'build-1-1.0.0/src/a.js',
    ]);
  });

  test("of a build on a user's source has the change that was asked for as a patch, and nothing else in it", async () => {
    const base = await press.commitOf('before\n');
    const changed = await press.commitOf('after\n', base);
    const { commit, bundle } = changed;
    const release = await press.releases.make({ ...press.input, base: base.commit, commit: { commit, bundle } });
    const manifest = await manifestOf(release.manifest);
    expect(manifest.base_commit).toBe(base.commit);
    const patch = await contentOf(manifest, 'patch');
    expect(patch.toString()).toContain('-before\n+after\n');
    expect(patch.toString().match(/^diff --git/gm)).toHaveLength(1);
    const tree = join(press.dir, 'applied');
    await mkdir(join(tree, 'src'), { recursive: true });
    await writeFile(join(tree, 'src', 'a.js'), 'before\n');
    execFileSync('git', ['apply', '-'], { cwd: tree, input: patch });
    expect(await readFile(join(tree, 'src', 'a.js'), 'utf8')).toBe('after\n');
  });

  test('is made once per attempt, whatever a later try names it, and its tag is set again when it was lost', async () => {
    const first = await press.releases.make(press.input);
    const { workflowId, signal } = press.build;
    await press.workspaces.removeTag({ workflowId, name: first.tag, signal });
    expect(await press.releases.make({ ...press.input, version: '2.0.0', notes: 'other', run: 2 })).toEqual(first);
    expect(await press.tags()).toBe(`refs/tags/release/1.0.0-a1 ${press.input.commit.commit}`);
    expect(await releasesIn()).toEqual(['1.0.0-a1']);
  });

  test('is byte for byte the same when it is made again', async () => {
    const first = await press.releases.make(press.input);
    const other = await pressFixture();
    try {
      expect((await other.releases.make(other.input)).manifest).toBe(first.manifest);
    } finally {
      await other.remove();
    }
  });

  test('is replaced when a later try releases another commit', async () => {
    await press.releases.make(press.input);
    const { commit, bundle } = await press.commitOf('b\n');
    const second = await press.releases.make({ ...press.input, commit: { commit, bundle }, version: '1.1.0', run: 2 });
    expect(second.tag).toBe('release/1.1.0-a1');
    expect(await releasesIn()).toEqual(['1.1.0-a1']);
    expect(await press.tags()).toBe(`refs/tags/release/1.1.0-a1 ${commit}`);
  });

  test.each([
    ['a newer attempt', { attempt: 2 }],
    ['an attempt of a newer branch', { branch: 'branch-2', version: '1.2.0' }],
  ])('is replaced by that of %s, and comes back no more', async (_, newer) => {
    await press.releases.make(press.input);
    const later = { ...press.input, ...newer, atMs: press.input.atMs + 1 };
    const { tag, path } = await press.releases.make(later);
    expect(await releasesIn()).toEqual([path.slice(press.buildDir.length + 1)]);
    expect(await press.tags()).toBe(`refs/tags/${tag} ${press.input.commit.commit}`);
    await expect(press.releases.make(press.input)).rejects.toMatchObject({ code: 'release_failed' });
    expect(await press.tags()).toBe(`refs/tags/${tag} ${press.input.commit.commit}`);
  });

  test('of an older attempt that was never begun does not replace a newer one', async () => {
    const newer = await press.releases.make({ ...press.input, attempt: 2, atMs: press.input.atMs + 1 });
    await expect(press.releases.make(press.input)).rejects.toThrow(/newer release/);
    expect(await releasesIn()).toEqual([newer.path.slice(press.buildDir.length + 1)]);
  });

  test('that fails leaves nothing, and succeeds when it is tried again', async () => {
    const { workspaces } = press;
    const failing = createReleases({
      ...press.settings,
      workspaces: { ...workspaces, setTag: () => Promise.reject(new Error('the disk is gone')) },
    });
    await expect(failing.make(press.input)).rejects.toThrow('the disk is gone');
    expect(await releasesIn()).toEqual([]);
    expect(await press.tags()).toBe('');
    expect(await press.releases.make({ ...press.input, run: 2 })).toMatchObject({ tag: 'release/1.0.0-a1' });
  });

  test('stays inside its folder whatever the names are', async () => {
    const names = ['../../x', '/etc', '..', '', 'a b', 'A', 'a', 'CON', 'x\0y', '🎉', 'v'.repeat(500), 'x.lock'];
    for (const [index, name] of names.entries()) {
      const hostile = { ...press.input, projectId: name, buildId: name, version: name, attempt: index };
      const { path, manifest } = await press.releases.make(hostile);
      expect(path).toMatch(/\/releases\/[a-z0-9][\w.-]*\/[a-z0-9][\w.-]*\/[a-z0-9][\w.-]*$/);
      expect(path.startsWith(join(press.dir, 'releases'))).toBe(true);
      const { artifacts } = await manifestOf(manifest);
      for (const artifact of artifacts) expect(artifact.name).toMatch(/^[\w][\w.-]{0,200}$/);
    }
    expect(new Set(names.map(safeName)).size).toBe(names.length);
    expect(safeName(safeName('a b'))).not.toBe(safeName('a b'));
    expect((await readdir(press.dir)).sort()).toEqual(['artifacts', 'releases', 'repositories']);
  });
});
