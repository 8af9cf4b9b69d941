import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createReleases } from '../../../src/activities/release/release.ts';
import { eventually } from '../../eventually.ts';
import { type PressFixture, pressFixture } from './press-fixture.ts';

let press: PressFixture;
beforeEach(async () => {
  press = await pressFixture();
});
afterEach(() => press.remove());

const KEY = { branch: 'branch-1', attempt: 1 };
const UNDONE = { ...KEY, version: '1.0.0', tag: 'release/1.0.0-a1' };
const releasesIn = async (): Promise<string[]> => (await readdir(press.buildDir)).filter((name) => name !== '.records');

/** A gate at which work stands still until it is opened. */
function gate() {
  let open = (): void => undefined;
  let arrive = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const pass = (): Promise<void> => {
    arrive();
    return opened;
  };
  return { open, arrived, pass };
}

describe('taking a release back', () => {
  test('removes its folder and its tag, and says the same when it is done again', async () => {
    await press.releases.make(press.input);
    expect(await press.releases.undo(press.build, KEY)).toEqual(UNDONE);
    expect(await press.releases.undo(press.build, KEY)).toEqual(UNDONE);
    expect(await releasesIn()).toEqual([]);
    expect(await press.tags()).toBe('');
  });

  test('of an attempt that made none is nothing, and none is made after it', async () => {
    expect(await press.releases.undo(press.build, KEY)).toBeNull();
    await expect(press.releases.make(press.input)).rejects.toMatchObject({ code: 'release_failed' });
    expect(await press.releases.undo(press.build, KEY)).toBeNull();
    expect(await releasesIn()).toEqual([]);
  });

  test('leaves the release of a newer attempt as it is', async () => {
    const newer = { ...press.input, attempt: 2, atMs: press.input.atMs + 1 };
    await press.releases.make(press.input);
    const { tag } = await press.releases.make(newer);
    await press.releases.undo(press.build, KEY);
    expect(await releasesIn()).toEqual(['1.0.0-a2']);
    expect(await press.tags()).toContain(tag);
  });

  test('of other branches takes those that are older back, and never a newer one', async () => {
    await press.releases.make(press.input);
    const { atMs } = press.input;
    expect(await press.releases.undoOthers(press.build, 'branch-1', atMs + 10)).toEqual([]);
    expect(await press.releases.undoOthers(press.build, 'branch-2', atMs)).toEqual([]);
    expect(await releasesIn()).toEqual(['1.0.0-a1']);
    expect(await press.releases.undoOthers(press.build, 'branch-2', atMs + 10)).toEqual([UNDONE]);
    expect(await releasesIn()).toEqual([]);
  });

  test.each(['exportTree', 'listFiles', 'archive', 'setTag'] as const)(
    'leaves nothing of a try that still runs and stands at %s',
    async (step) => {
      const { open, arrived, pass } = gate();
      const { workspaces } = press;
      const slow = createReleases({
        ...press.settings,
        workspaces: {
          ...workspaces,
          [step]: async (given: never) => {
            await pass();
            return await (workspaces[step] as (input: never) => Promise<unknown>)(given);
          },
        },
      });
      const made = slow.make(press.input).catch((error: unknown) => error);
      await arrived;
      const undone = press.releases.undo(press.build, KEY);
      await eventually(async () =>
        expect(await readdir(join(press.buildDir, '.records'))).toContain('a1-branch-1.undone'),
      );
      open();
      expect(await made).toMatchObject({ code: 'release_failed' });
      await undone;
      expect(await releasesIn()).toEqual([]);
      expect(await press.tags()).toBe('');
    },
  );

  test('keeps a try that still runs from its target', async () => {
    const { open, arrived, pass } = gate();
    const { workspaces } = press;
    const published = join(press.dir, 'published');
    const slow = createReleases({
      ...press.settings,
      target: { kind: 'command', publish: `touch ${published}; true`, unpublish: 'true', env: {} },
      workspaces: {
        ...workspaces,
        setTag: async (at) => {
          await pass();
          await workspaces.setTag(at);
        },
      },
    });
    const made = slow.make(press.input).catch((error: unknown) => error);
    await arrived;
    const undone = slow.undo(press.build, KEY);
    await eventually(async () =>
      expect(await readdir(join(press.buildDir, '.records'))).toContain('a1-branch-1.undone'),
    );
    open();
    expect(await made).toMatchObject({ code: 'release_failed' });
    await undone;
    expect(await readdir(press.dir)).not.toContain('published');
  });

  test('that fails half way says so, and is finished by the next call', async () => {
    await press.releases.make(press.input);
    const { workspaces } = press;
    const failing = createReleases({
      ...press.settings,
      workspaces: { ...workspaces, removeTag: () => Promise.reject(new Error('no disk')) },
    });
    await expect(failing.undo(press.build, KEY)).rejects.toThrow('no disk');
    expect(await press.releases.undo(press.build, KEY)).toEqual(UNDONE);
    expect(await press.tags()).toBe('');
  });
});
