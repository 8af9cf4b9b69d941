import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ReleaseManifest } from '../../../src/artifacts/release-manifest.ts';
import type { PublishTarget } from '../../../src/release-settings.ts';
import { type CompiledProgram, compileProgram } from '../../compiled-program.ts';
import type { Killing } from './killed-publisher.ts';
import { bareRepository, openPress, type PressFixture, pressFixture } from './press-fixture.ts';

const KEY = { branch: 'branch-1', attempt: 1 };
const FOLDER = { kind: 'folder' } as const;

let publisher: CompiledProgram;
beforeAll(async () => {
  publisher = await compileProgram(new URL('killed-publisher.ts', import.meta.url));
});
afterAll(() => publisher.remove());

let press: PressFixture;
let dir: string;
beforeEach(async () => {
  press = await pressFixture();
  dir = await mkdtemp(join(tmpdir(), 'kills-'));
});
afterEach(async () => {
  await press.remove();
  await rm(dir, { recursive: true, force: true });
});

/** Begins the release in a process of its own, which dies of SIGKILL at the moment. */
async function killedAt(at: Killing['at'], target: PublishTarget = FOLDER): Promise<void> {
  const { facts: _, signal: __, ...input } = press.input;
  const killing: Killing = { dir: press.dir, input, target, at };
  const child = spawn(process.execPath, [publisher.path, JSON.stringify(killing)], { stdio: 'inherit' });
  const ended = await new Promise<string | null>((resolve) => child.once('exit', (_code, name) => resolve(name)));
  expect(ended).toBe('SIGKILL');
}

/** Exactly one release, whole: its folder, its tag, and every file as its manifest says. */
async function requireOne(releases: PressFixture['releases'] = press.releases): Promise<void> {
  const { path, manifest, tag } = await releases.make({ ...press.input, run: 2 });
  expect((await readdir(press.buildDir)).sort()).toEqual(['.records', '1.0.0-a1']);
  expect((await readdir(join(press.buildDir, '.records'))).filter((name) => name.endsWith('.json'))).toHaveLength(1);
  expect(await press.tags()).toBe(`refs/tags/${tag} ${press.input.commit.commit}`);
  const told = JSON.parse(await readFile(join(path, 'release.json'), 'utf8')) as ReleaseManifest;
  expect(JSON.parse((await press.store.get(manifest)).toString())).toEqual(told);
  for (const file of told.files) expect((await readFile(join(path, 'files', file.path))).length).toBe(file.bytes);
  for (const artifact of told.artifacts)
    expect((await readFile(join(path, artifact.name))).length).toBe(artifact.bytes);
}

const MOMENTS = [
  'recorded',
  'exporting',
  'storing',
  'tagged',
  'before the name',
  'after the name',
  'before the end',
] as const;

describe('a publisher that is killed', () => {
  test.each(MOMENTS)('%s: the next try makes one release, and it is whole', async (at) => {
    await killedAt(at);
    await requireOne();
  });

  test.each(['before the name', 'after the name'] as const)('%s: what it began can be taken back', async (at) => {
    await killedAt(at);
    expect(await press.releases.undo(press.build, KEY)).toMatchObject({ version: '1.0.0' });
    expect((await readdir(press.buildDir)).sort()).toEqual(['.records']);
    expect(await press.tags()).toBe('');
  });

  test('while its target publishes: the next try publishes again', async () => {
    const target: PublishTarget = {
      kind: 'command',
      publish: `echo "$Q_TAG" >> ${dir}/published; test -f ${dir}/once || { touch ${dir}/once; kill -9 $PPID; }; true`,
      unpublish: 'true',
      env: { PATH: process.env.PATH ?? '' },
    };
    await killedAt('never', target);
    await requireOne(openPress(press.dir, target).releases);
    expect(await readFile(join(dir, 'published'), 'utf8')).toBe('release/1.0.0-a1\nrelease/1.0.0-a1\n');
  });

  test.each([
    ['before its push', 'after the name'],
    ['after its push', 'before the end'],
  ] as const)('%s: the next try pushes the same', async (_, at) => {
    const remote = bareRepository(join(dir, 'remote.git'));
    const target: PublishTarget = { kind: 'git', remote, token: null, env: { HOME: '/nonexistent' } };
    await killedAt(at, target);
    await requireOne(openPress(press.dir, target).releases);
    const { commit } = press.input.commit;
    expect(await press.tags(remote)).toBe(`refs/heads/q/build-1 ${commit}\nrefs/tags/q/build-1/1.0.0-a1 ${commit}`);
  });
});
