import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tryLock } from '../../src/stack/file-lock.mjs';
import { tempFolder } from './temp-folder.ts';

const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid;

describe('a lock file', () => {
  it('is held by one at a time and free again after its release', () => {
    const file = join(tempFolder(), 'a.lock');
    const first = tryLock(file);
    expect(first.held).toBe(true);
    expect(tryLock(file)).toEqual({ held: false, pid: process.pid });
    if (first.held) first.release();
    expect(existsSync(file)).toBe(false);
    expect(tryLock(file).held).toBe(true);
  });

  it('of a process that is gone is taken over, and nothing else is left in the folder', () => {
    const folder = tempFolder();
    const file = join(folder, 'a.lock');
    writeFileSync(file, JSON.stringify({ pid: deadPid(), start: '1', token: 'x' }));
    expect(tryLock(file).held).toBe(true);
    expect(readdirSync(folder)).toEqual(['a.lock']);
  });

  it('whose process id now belongs to another process is taken over', () => {
    const file = join(tempFolder(), 'a.lock');
    writeFileSync(file, JSON.stringify({ pid: process.pid, start: 'another start', token: 'x' }));
    expect(tryLock(file).held).toBe(true);
  });

  it('that was cut off while written is taken over, but not while it may still be written', () => {
    const file = join(tempFolder(), 'a.lock');
    writeFileSync(file, '');
    expect(tryLock(file)).toEqual({ held: false, pid: null });
    utimesSync(file, 1, 1);
    expect(tryLock(file).held).toBe(true);
  });

  it('that another took over is not removed by a late release', () => {
    const file = join(tempFolder(), 'a.lock');
    const first = tryLock(file);
    writeFileSync(file, 'of another');
    if (first.held) first.release();
    expect(readFileSync(file, 'utf8')).toBe('of another');
  });
});
