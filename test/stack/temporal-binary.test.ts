import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type BinarySource, binarySources, findTemporalBinary, isTemporal } from '../../src/stack/temporal-binary.ts';
import { builtBinaryPath } from '../../src/stack/temporal-cache.ts';
import { tempFolder } from './temp-folder.ts';

const settings = { cacheDir: '/nowhere', log: () => undefined };
const offers = (name: string, ...paths: string[]): BinarySource => ({ name, find: async () => ({ paths }) });
const lacks = (name: string, absent: string): BinarySource => ({ name, find: async () => ({ absent }) });
const works =
  (...good: string[]) =>
  async (path: string) =>
    good.includes(path);

describe('the temporal binary', () => {
  it('is looked for on PATH, in the cache, in the download and by a build, in this order', () => {
    expect(binarySources(settings).map(({ name }) => name)).toEqual([
      'temporal on PATH',
      'the cache /nowhere',
      "the Temporal SDK's download",
      'go build',
    ]);
  });

  it('comes from the first place that has one, and later places are not asked', async () => {
    const never: BinarySource = {
      name: 'never',
      find: () => {
        throw new Error('asked');
      },
    };
    const sources = [lacks('a', 'none'), offers('b', '/b'), never];
    expect(await findTemporalBinary(settings, sources, works('/b'))).toBe('/b');
  });

  it('counts only when it works', async () => {
    const sources = [offers('a', '/broken', '/also-broken'), offers('b', '/b')];
    expect(await findTemporalBinary(settings, sources, works('/b'))).toBe('/b');
  });

  it('that is configured is the only one tried', async () => {
    const configured = { ...settings, temporalCli: '/mine' };
    expect(await findTemporalBinary(configured, [offers('a', '/a')], works('/mine', '/a'))).toBe('/mine');
    await expect(findTemporalBinary(configured, [offers('a', '/a')], works('/a'))).rejects.toMatchObject({
      code: 'temporal_missing',
      message: expect.stringContaining('TEMPORAL_CLI=/mine is not a working temporal binary'),
    });
  });

  it('that is configured by a relative path is run from any folder', async () => {
    const found = await findTemporalBinary({ ...settings, temporalCli: './mine' }, [], async () => true);
    expect(found).toBe(join(process.cwd(), 'mine'));
  });

  it('on PATH is found with its whole path', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'temporal'), '#!/bin/sh\n');
    chmodSync(join(folder, 'temporal'), 0o755);
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
    const [onPath] = binarySources(settings);
    expect(await onPath?.find()).toEqual({ paths: [join(folder, 'temporal')] });
    vi.unstubAllEnvs();
  });

  it('that is nowhere gives one error with all that was tried and the remedies', async () => {
    const sources = [offers('a', '/broken'), lacks('b', 'the network is closed')];
    const failure = findTemporalBinary(settings, sources, works());
    await expect(failure).rejects.toMatchObject({ code: 'temporal_missing' });
    for (const part of [
      'a: no working binary',
      'b: the network is closed',
      'TEMPORAL_CLI',
      'Go 1.21',
      'TEMPORAL_ADDRESS',
    ]) {
      await expect(failure).rejects.toThrow(part);
    }
  });

  it('is not looked for any further once that is interrupted', async () => {
    const interrupt = new AbortController();
    const interrupted: BinarySource = {
      name: 'go build',
      find: async () => {
        interrupt.abort(new Error('Ctrl-C'));
        return { absent: 'killed' };
      },
    };
    const search = { ...settings, signal: interrupt.signal };
    await expect(findTemporalBinary(search, [interrupted, offers('b', '/b')], works('/b'))).rejects.toThrow('Ctrl-C');
  });

  it('in the cache is found under the version of the pin', async () => {
    const cacheDir = tempFolder();
    const path = builtBinaryPath(cacheDir);
    const [, cache] = binarySources({ ...settings, cacheDir });
    expect(await cache?.find()).toEqual({ paths: [path] });
  });
});

describe('a command counts as temporal', () => {
  const script = (text: string): string => {
    const path = join(tempFolder(), 'bin');
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  };

  it('when its version answers as one', async () => {
    expect(await isTemporal(script('echo "temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)"'))).toBe(true);
  });

  it('and not when it fails, says something else, or does not exist', async () => {
    expect(await isTemporal(script('echo "temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)"; exit 3'))).toBe(false);
    expect(await isTemporal(script('echo hello'))).toBe(false);
    expect(await isTemporal(join(tempFolder(), 'missing'))).toBe(false);
  });
});
