import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh folder, removed after the file of tests that asked for it. */
export function tempFolder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'q-stack-')));
  folders.push(path);
  return path;
}

const folders: string[] = [];

/** A process that was killed a moment ago may still be writing. */
const REMOVAL = { recursive: true, force: true, maxRetries: 10 } as const;

export function removeTempFolders(): void {
  for (const path of folders.splice(0)) rmSync(path, REMOVAL);
}
