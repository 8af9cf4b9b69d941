import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createReleases } from '../../../src/activities/release/release.ts';
import { cleanOutput } from '../../../src/activities/release/run-tool.ts';
import { eventually } from '../../eventually.ts';
import { bareRepository, type PressFixture, pressFixture } from './press-fixture.ts';

const KEY = { branch: 'branch-1', attempt: 1 };
const ENV = { PATH: process.env.PATH ?? '', HOME: '/nonexistent' };
let dir: string;
let presses: PressFixture[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'targets-'));
  presses = [];
});
afterEach(async () => {
  for (const press of presses) await press.remove();
  await rm(dir, { recursive: true, force: true });
});

async function opened(...given: Parameters<typeof pressFixture>): Promise<PressFixture> {
  const press = await pressFixture(...given);
  presses.push(press);
  return press;
}

const git = (repository: string, ...args: string[]): string =>
  execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).trim();

describe('the target git', () => {
  const opensGit = async () => {
    const remote = bareRepository(join(dir, 'remote.git'));
    const press = await opened({ kind: 'git', remote, token: null, env: ENV });
    return { remote, press, refs: () => press.tags(remote) };
  };

  test('is a branch of the build and a tag, with the history, pushed again without harm', async () => {
    const { remote, press, refs } = await opensGit();
    await press.releases.make(press.input);
    const { commit } = press.input.commit;
    const pushed = `refs/heads/q/build-1 ${commit}\nrefs/tags/q/build-1/1.0.0-a1 ${commit}`;
    expect(await refs()).toBe(pushed);
    expect(git(remote, 'show', 'q/build-1:src/a.js')).toBe('a');
    await press.releases.make({ ...press.input, run: 2 });
    expect(await refs()).toBe(pushed);
  });

  test('is taken back, again and again, and also where somebody has removed it', async () => {
    const { remote, press, refs } = await opensGit();
    await press.releases.make(press.input);
    git(remote, 'update-ref', '-d', 'refs/heads/q/build-1');
    await press.releases.undo(press.build, KEY);
    await press.releases.undo(press.build, KEY);
    expect(await refs()).toBe('');
  });

  test('keeps a branch on which somebody has worked since', async () => {
    const { remote, press, refs } = await opensGit();
    const other = await press.commitOf('theirs\n');
    const base = await press.commitOf('a\n');
    await press.releases.make({ ...press.input, commit: { commit: base.commit, bundle: base.bundle } });
    const from = await press.workspaces.repositoryWith({ ...press.build, ...other });
    git(remote, 'fetch', '--quiet', '--no-tags', from, `+${other.commit}:refs/heads/q/build-1`);
    await press.releases.undo(press.build, KEY);
    expect(await refs()).toBe(`refs/heads/q/build-1 ${other.commit}`);
  });

  test('replaces the release of an older attempt', async () => {
    const { press, refs } = await opensGit();
    await press.releases.make(press.input);
    const newer = await press.commitOf('newer\n');
    const commit = { commit: newer.commit, bundle: newer.bundle };
    await press.releases.make({ ...press.input, attempt: 2, atMs: press.input.atMs + 1, commit });
    expect(await refs()).toBe(`refs/heads/q/build-1 ${newer.commit}\nrefs/tags/q/build-1/1.0.0-a2 ${newer.commit}`);
  });

  test('that is away fails the release, which leaves nothing and no secret anywhere', async () => {
    const token = 'ghp_very-secret-token';
    const remote = 'http://127.0.0.1:1/team/shop.git';
    const press = await opened({ kind: 'git', remote, token, env: ENV });
    const error = await press.releases.make(press.input).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'release_failed', message: expect.stringContaining('PUBLISH_GIT_REMOTE') });
    const said = `${String(error)}\n${press.logged.join('\n')}`;
    expect(said).not.toContain(token);
    expect(said).not.toContain(Buffer.from(`x-access-token:${token}`).toString('base64'));
    expect(existsSync(join(press.buildDir, '1.0.0-a1'))).toBe(false);
    expect(await press.tags()).toBe('');
  });
});

describe('the target command', () => {
  const LIST = (name: string): string => `${dir}/${name}`;
  function script(name: string, body: string): string {
    const path = join(dir, name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  }
  const opensCommand = (publish: string, unpublish: string) =>
    opened({ kind: 'command', publish, unpublish, env: ENV });

  test('is run with the folder, whole, and with what it may know in its environment, and no more', async () => {
    const publish = script(
      'publish',
      `test -f "$1/release.json" || exit 9; echo "$1" > ${LIST('published')}; env | cut -d= -f1 | sort > ${LIST('env')}; echo "$Q_BUILD_ID $Q_VERSION" > ${LIST('known')}`,
    );
    const unpublish = script('unpublish', `echo "$1" >> ${LIST('unpublished')}`);
    const press = await opensCommand(publish, unpublish);
    const { path } = await press.releases.make(press.input);
    expect(readFileSync(LIST('published'), 'utf8')).toBe(`${path}\n`);
    expect(readFileSync(LIST('known'), 'utf8')).toBe('build-1 1.0.0\n');
    const ours =
      /^(HOME|PATH|Q_(ATTEMPT|BUILD_ID|COMMIT|PROJECT_ID|RELEASE_DIR|TAG|VERSION|WORKFLOW_ID)|PWD|_|SHLVL|OLDPWD)$/;
    const names = readFileSync(LIST('env'), 'utf8').trim().split('\n');
    expect(names.filter((name) => !ours.test(name))).toEqual([]);
    await press.releases.undo(press.build, KEY);
    expect(readFileSync(LIST('unpublished'), 'utf8')).toBe(`${path}\n`);
    expect(existsSync(path)).toBe(false);
  });

  test('that fails fails the release, undoes what it began, and keeps what it wrote for the log', async () => {
    const publish = script('publish', 'echo "the password is hunter2"; exit 3');
    const press = await opensCommand(publish, script('unpublish', `echo undone > ${LIST('unpublished')}`));
    const error = await press.releases.make(press.input).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'release_failed', message: expect.stringContaining('exit code 3') });
    expect(String(error)).not.toContain('hunter2');
    expect(press.logged.join('')).toContain('hunter2');
    expect(readFileSync(LIST('unpublished'), 'utf8')).toBe('undone\n');
    expect(existsSync(join(press.buildDir, '1.0.0-a1'))).toBe(false);
  });

  test('ends with its attempt, whatever it has started', async () => {
    const publish = script(
      'publish',
      `sleep 60 & echo started > ${LIST('started')}; wait; echo late > ${LIST('late')}`,
    );
    const press = await opensCommand(publish, script('unpublish', 'true'));
    const stop = new AbortController();
    const made = press.releases.make({ ...press.input, signal: stop.signal }).catch((error: unknown) => error);
    await eventually(() => expect(existsSync(LIST('started'))).toBe(true));
    stop.abort(new Error('cancelled'));
    expect(await made).toMatchObject({ message: 'cancelled' });
    await press.releases.undo(press.build, KEY);
    expect(existsSync(LIST('late'))).toBe(false);
    expect(existsSync(join(press.buildDir, '1.0.0-a1'))).toBe(false);
  });

  test('is not taken back by another target than that which published', async () => {
    const press = await opensCommand(script('publish', 'true'), script('unpublish', 'true'));
    await press.releases.make(press.input);
    const folder = createReleases({ ...press.settings, target: { kind: 'folder' } });
    await expect(folder.undo(press.build, KEY)).rejects.toThrow(/PUBLISH_TARGET=command, which is folder now/);
    expect(await press.releases.undo(press.build, KEY)).toMatchObject({ version: '1.0.0' });
  });
});

test('what programs wrote is shown without secrets, users in addresses and control characters', () => {
  const text = 'to https://ann:pw@git.example/x\u001b[31m token=abc\u0000 done';
  expect(cleanOutput(text, ['abc'])).toBe('to https://***@git.example/x[31m token=*** done');
});
