import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { stopLeftover } from '../../src/stack/leftover.ts';
import { isAlive } from '../../src/stack/process-identity.mjs';
import { tempFolder } from './temp-folder.ts';

const children: ChildProcess[] = [];

// Tells when it runs, so that no test signals a process that is not what it will be.
async function server(mark: string, body = ''): Promise<number> {
  const code = `${body}; setInterval(() => {}, 1000); console.log('up')`;
  const child = spawn(process.execPath, ['-e', code, mark], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

function record(folder: string, pid: number): { recordFile: string; mark: string } {
  const recordFile = join(folder, 'server.json');
  writeFileSync(recordFile, JSON.stringify({ pid, guardianPid: 0, port: 1 }));
  return { recordFile, mark: join(folder, 'data') };
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe('a server that a killed process left', () => {
  it('is stopped when it runs on our data', async () => {
    const folder = tempFolder();
    const pid = await server(join(folder, 'data'));
    const files = record(folder, pid);
    await stopLeftover({ ...files, stopSignal: 'SIGTERM', stopDeadlineMs: 10_000 });
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(files.recordFile)).toBe(false);
  });

  it('that does not listen to its signal is killed', async () => {
    const folder = tempFolder();
    const pid = await server(join(folder, 'data'), "process.on('SIGTERM', () => {})");
    await stopLeftover({ ...record(folder, pid), stopSignal: 'SIGTERM', stopDeadlineMs: 50 });
    expect(isAlive(pid)).toBe(false);
  });

  it('is left alone when the recorded id belongs to another program by now', async () => {
    const folder = tempFolder();
    const pid = await server('/somewhere/else');
    await stopLeftover({ ...record(folder, pid), stopSignal: 'SIGTERM', stopDeadlineMs: 50 });
    expect(isAlive(pid)).toBe(true);
  });

  it('is no trouble when the record cannot be read', async () => {
    const folder = tempFolder();
    const recordFile = join(folder, 'server.json');
    writeFileSync(recordFile, '{"pid":');
    await stopLeftover({ recordFile, mark: folder, stopSignal: 'SIGTERM', stopDeadlineMs: 50 });
    expect(existsSync(recordFile)).toBe(false);
  });
});
