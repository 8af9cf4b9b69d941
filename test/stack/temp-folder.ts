import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

/** A fresh folder for one test, removed after it. */
export function tempFolder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'q-stack-')));
  folders.push(path);
  return path;
}

const folders: string[] = [];

afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});
