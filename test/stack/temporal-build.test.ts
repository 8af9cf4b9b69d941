import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Go } from '../../src/stack/go-build.ts';
import { buildTemporal } from '../../src/stack/temporal-build.ts';
import { builtBinaryPath } from '../../src/stack/temporal-cache.ts';
import { tempFolder } from './temp-folder.ts';

const answer = (code: number | null, output = '') => ({ code, output, timedOut: false });
const log = (): void => undefined;

function fakeGo(build: (target: string) => Promise<number> | number, version = 'go version go1.26.8 linux/amd64') {
  const calls: string[] = [];
  const go: Go = async (args) => {
    calls.push(args[0] ?? '');
    if (args[0] === 'version') return answer(0, version);
    return answer(await build(args[args.indexOf('-o') + 1] ?? ''), 'line 1\nwhy it failed\n');
  };
  return { go, calls };
}

describe('building the Temporal server', () => {
  it('leaves the whole binary under its name and nothing else', async () => {
    const cacheDir = tempFolder();
    const path = builtBinaryPath(cacheDir);
    const { go } = fakeGo((target) => {
      writeFileSync(target, 'binary');
      expect(existsSync(path)).toBe(false);
      return 0;
    });
    expect(await buildTemporal({ cacheDir, log }, go)).toEqual({ paths: [path] });
    expect(readFileSync(path, 'utf8')).toBe('binary');
    expect(readdirSync(dirname(path))).toHaveLength(1);
  });

  it('happens once when two ask at the same time: the second takes the result of the first', async () => {
    const cacheDir = tempFolder();
    let builds = 0;
    const { go } = fakeGo(async (target) => {
      builds += 1;
      await new Promise((resolve) => setImmediate(resolve));
      writeFileSync(target, 'binary');
      return 0;
    });
    const both = await Promise.all([buildTemporal({ cacheDir, log }, go), buildTemporal({ cacheDir, log }, go)]);
    expect(both).toEqual([{ paths: [builtBinaryPath(cacheDir)] }, { paths: [builtBinaryPath(cacheDir)] }]);
    expect(builds).toBe(1);
  });

  it('is not waited for any more by one that is interrupted, and goes on for the other', async () => {
    const cacheDir = tempFolder();
    const interrupt = new AbortController();
    const { go } = fakeGo(async (target) => {
      const second = buildTemporal({ cacheDir, log: () => interrupt.abort(), signal: interrupt.signal }, go);
      expect(await second).toMatchObject({ absent: expect.stringContaining('is still building it') });
      writeFileSync(target, 'binary');
      return 0;
    });
    expect(await buildTemporal({ cacheDir, log }, go)).toEqual({ paths: [builtBinaryPath(cacheDir)] });
  });

  it('that fails says why and leaves nothing', async () => {
    const cacheDir = tempFolder();
    const { go } = fakeGo((target) => {
      writeFileSync(target, 'half');
      return 1;
    });
    expect(await buildTemporal({ cacheDir, log }, go)).toEqual({ absent: 'failed: line 1 | why it failed' });
    expect(readdirSync(dirname(builtBinaryPath(cacheDir)))).toEqual([]);
  });

  it('is not tried without go or with one too old', async () => {
    const cacheDir = tempFolder();
    const missing: Go = async () => answer(null, 'spawn go ENOENT');
    expect(await buildTemporal({ cacheDir, log }, missing)).toEqual({ absent: 'there is no working go command' });
    const old = fakeGo(() => 0, 'go version go1.19.8 linux/amd64');
    expect(await buildTemporal({ cacheDir, log }, old.go)).toEqual({ absent: 'go 1.19 is older than 1.21' });
    expect(old.calls).toEqual(['version']);
  });

  it('in a cache that cannot be written says so', async () => {
    const file = join(tempFolder(), 'file');
    writeFileSync(file, '');
    const { go } = fakeGo(() => 0);
    expect(await buildTemporal({ cacheDir: file, log }, go)).toEqual({
      absent: expect.stringContaining('the cache cannot be written'),
    });
  });
});
