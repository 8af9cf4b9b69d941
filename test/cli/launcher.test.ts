import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tempFolder } from '../stack/temp-folder.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LAUNCHER = join(ROOT, 'scripts', 'q-orchestrator.mjs');

function start(command: string, args: readonly string[], cwd: string, env: Record<string, string> = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, ...said }));
  });
  return { child, ended };
}

describe('the command q-orchestrator', () => {
  it('is what npx runs in a clone, by its name and by its folder', async () => {
    // A cache of its own and no network: nothing but the clone may be needed.
    const env = { npm_config_cache: tempFolder(), npm_config_offline: 'true' };
    for (const [name, folder] of [
      ['q-orchestrator', ROOT],
      [ROOT, tempFolder()],
    ] as const) {
      const { code, out } = await start('npx', [name, '--help'], folder, env).ended;
      expect({ name, code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/^Usage: q-orchestrator/) });
    }
  });

  it('works in the folder it is called in, whatever TypeScript project that is', async () => {
    const folder = join(tempFolder(), 'a folder');
    mkdirSync(folder);
    writeFileSync(join(folder, 'tsconfig.json'), '{ "extends": "./nothing.json" ');
    writeFileSync(join(folder, 'result.json'), '{}');
    const args = [
      'advance',
      'x',
      '--role',
      'r',
      '--state',
      's',
      '--result',
      '@result.json',
      '--url',
      'http://127.0.0.1:1',
    ];
    const { code, err, out } = await start(process.execPath, [LAUNCHER, ...args], folder).ended;
    expect({ code, err, out }).toMatchObject({ code: 3, err: expect.stringMatching(/^unreachable:/), out: '' });
  });

  it('passes a signal on and ends as a shell would', async () => {
    let heard: () => void = () => undefined;
    const called = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const server = createServer(() => heard());
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { child, ended } = start(process.execPath, [LAUNCHER, 'status', 'x', '--url', url], tempFolder());
    await called;
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 143, out: '' });
  });
});
