import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockDataDir, prepareDataDir } from '../../src/stack/data-dir.ts';
import { tempFolder } from './temp-folder.ts';

describe('DATA_DIR', () => {
  it('is made with its parents and left without a trace of the check', () => {
    const path = join(tempFolder(), 'a', 'b');
    expect(prepareDataDir(path)).toBe(path);
    expect(readdirSync(path)).toEqual([]);
  });

  it('that cannot be written is refused with its path and the remedy', () => {
    const file = join(tempFolder(), 'file');
    writeFileSync(file, '');
    const path = join(file, 'data');
    expect(() => prepareDataDir(path)).toThrow(
      expect.objectContaining({ code: 'data_dir_unwritable', message: expect.stringContaining(`DATA_DIR=${path}`) }),
    );
    expect(() => prepareDataDir(path)).toThrow(/set DATA_DIR to a folder/);
  });

  it('in use is refused to a second process, naming the first', async () => {
    const path = tempFolder();
    const unlock = await lockDataDir(path, 0);
    await expect(lockDataDir(path, 0)).rejects.toMatchObject({
      code: 'data_dir_locked',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    unlock();
    expect(existsSync(join(path, 'stack.lock'))).toBe(false);
    (await lockDataDir(path, 0))();
  });

  it('is waited for while the process that holds it is stopping', async () => {
    const path = tempFolder();
    const unlock = await lockDataDir(path, 0);
    const second = lockDataDir(path, 60_000);
    unlock();
    (await second)();
  });
});
