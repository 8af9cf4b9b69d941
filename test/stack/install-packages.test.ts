import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installPackages } from '../../src/stack/install-packages.ts';
import { tempFolder } from './temp-folder.ts';

/** An apt-get that writes down what it is asked for, and installs only after so many updates. */
function fakeSystem({ updatesNeeded, hasLists }: { updatesNeeded: number; hasLists: boolean }) {
  const folder = tempFolder();
  const aptGet = join(folder, 'apt-get');
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  writeFileSync(
    aptGet,
    `#!/bin/sh
for one in "$@"; do case "$one" in update|install) verb=$one;; esac; done
echo "$verb $DEBIAN_FRONTEND" >>${calls}
[ "$verb" = update ] && exit 0
[ "$(grep -c update ${calls})" -ge ${updatesNeeded} ] && exit 0
echo "E: Unable to locate package bubblewrap" >&2
exit 100
`,
  );
  chmodSync(aptGet, 0o755);
  const listsDir = join(folder, 'lists');
  mkdirSync(listsDir);
  if (hasLists) writeFileSync(join(listsDir, 'deb_main_binary-amd64_Packages.lz4'), '');
  const told: string[] = [];
  const install = (isRoot = true) =>
    installPackages({ packages: ['bubblewrap'], log: (line) => told.push(line) }, { aptGet, listsDir, isRoot });
  return { install, told, calls: () => readFileSync(calls, 'utf8').trim().split('\n') };
}

describe('installing packages of the system', () => {
  it('asks for no update where the packages are known, and says in one line what it does', async () => {
    const system = fakeSystem({ updatesNeeded: 0, hasLists: true });
    expect(await system.install()).toBeNull();
    expect(system.calls()).toEqual(['install noninteractive']);
    expect(system.told).toEqual([expect.stringMatching(/^Installing bubblewrap with apt-get/)]);
  });

  it('updates first where nothing is known, and after a failure', async () => {
    const fresh = fakeSystem({ updatesNeeded: 1, hasLists: false });
    expect(await fresh.install()).toBeNull();
    expect(fresh.calls()).toEqual(['update noninteractive', 'install noninteractive']);
    const stale = fakeSystem({ updatesNeeded: 1, hasLists: true });
    expect(await stale.install()).toBeNull();
    expect(stale.calls()).toEqual(['install noninteractive', 'update noninteractive', 'install noninteractive']);
  });

  it('says why it failed', async () => {
    const system = fakeSystem({ updatesNeeded: 9, hasLists: true });
    expect(await system.install()).toBe('apt-get failed: E: Unable to locate package bubblewrap');
  });

  it('is not tried without the right to, nor without apt-get', async () => {
    const system = fakeSystem({ updatesNeeded: 0, hasLists: true });
    expect(await system.install(false)).toBe('only root can install packages');
    const nowhere = { aptGet: '/no/apt-get', listsDir: '/no', isRoot: true };
    expect(await installPackages({ packages: ['a'], log: () => undefined }, nowhere)).toBe(
      'this system has no apt-get',
    );
    expect(system.calls()).toEqual(['']);
    expect(system.told).toEqual([]);
  });
});
