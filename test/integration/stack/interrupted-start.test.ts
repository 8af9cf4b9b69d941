import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { isAlive } from '../../../src/stack/process-identity.mjs';
import { startStack } from '../../../src/stack/stack.ts';
import { eventually } from '../../eventually.ts';
import { tempFolder } from '../../stack/temp-folder.ts';
import { startProcess, type TestProcess } from '../fixtures/process.ts';
import { serversOf, usedDataDir } from './probes.ts';

const processes: TestProcess[] = [];
afterEach(async () => {
  for (const one of processes.splice(0)) await one.kill();
});

/** A machine on which the Temporal server has to be built, which takes for ever: by a `go` and a compiler it started. */
function slowMachine(dataDir: string) {
  const [bin, cache] = [tempFolder(), tempFolder()];
  const program = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  // It is in the way of one that this machine may have.
  program('temporal', 'exit 1');
  const build = `sleep 1000 & echo "$$ $!" > "${bin}/pids.new"; mv "${bin}/pids.new" "${bin}/pids"; wait`;
  program('go', `case "$1" in version) echo go version go1.26.0 linux/amd64;; build) ${build};; esac`);
  // Nobody listens on port 1: the download fails at once.
  const noNetwork = { HTTPS_PROXY: 'http://127.0.0.1:1', https_proxy: 'http://127.0.0.1:1' };
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH: `${bin}:${PATH}`, HOME, ...noNetwork, XDG_CACHE_HOME: cache, DATA_DIR: dataDir, PORT: '0' };
  const compilers = async (): Promise<number[]> => {
    return eventually(() => readFileSync(join(bin, 'pids'), 'utf8').trim().split(' ').map(Number));
  };
  const cached = (): string[] => readdirSync(join(cache, 'q-orchestrator', 'bin'));
  return { env, dataDir, cacheDir: join(cache, 'q-orchestrator'), compilers, cached };
}

describe('a start that is building the Temporal server', () => {
  it.each(['src/main.ts', 'src/demo.ts'])(
    'is given up at a Ctrl-C, by %s, and nothing is left of it',
    async (entry) => {
      const { env, dataDir, compilers, cached } = slowMachine(await usedDataDir());
      const started = startProcess(entry, env);
      processes.push(started);
      await started.says('building the Temporal server');
      await started.says('PostgreSQL is up');
      const pids = [...(await compilers()), ...serversOf(dataDir)];
      expect(pids.filter(isAlive)).toHaveLength(4);
      process.kill(-started.pid, 'SIGINT');
      expect(await started.ended, started.output()).toBe(130);
      await eventually(() => expect(pids.filter(isAlive)).toEqual([]));
      expect(started.output()).not.toMatch(/^\s+at |Error/m);
      expect(existsSync(join(dataDir, 'stack.lock'))).toBe(false);
      expect(cached()).toEqual([]);
    },
  );

  it('is given up when another part has failed meanwhile', async () => {
    const { env, dataDir, cacheDir, compilers } = slowMachine(tempFolder());
    for (const name of ['PATH', 'HTTPS_PROXY', 'https_proxy'] as const) vi.stubEnv(name, env[name]);
    onTestFinished(() => void vi.unstubAllEnvs());
    // A server that takes connections and never says a word: it is given up after seconds, when the build has begun.
    const mute = createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    onTestFinished(() => void mute.close());
    const databaseUrl = `postgresql://someone@127.0.0.1:${(mute.address() as AddressInfo).port}/mirror`;
    const starting = startStack({ dataDir, cacheDir, databaseUrl, searchAttributes: {}, log: () => undefined });
    const failure = starting.catch((error: unknown) => error);
    const pids = await compilers();
    expect(await failure).toMatchObject({ code: 'postgres_unreachable' });
    await eventually(() => expect(pids.filter(isAlive)).toEqual([]));
    expect(existsSync(join(dataDir, 'stack.lock'))).toBe(false);
  });
});
