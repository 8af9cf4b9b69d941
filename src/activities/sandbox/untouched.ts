import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Project } from './project.ts';

/** A digest of all source and test files, by which a run is found out that rewrites what is tested while it goes on. */
export async function fingerprint({ node, python, vitest }: Project, dir: string): Promise<string> {
  const digest = createHash('sha256');
  const paths = [node, python, vitest].flatMap(({ tests, sources }) => [...tests, ...sources]);
  for (const path of new Set(paths)) {
    const content = await readFile(join(dir, path)).catch(() => null);
    digest.update(`${path}\0${content === null ? 'gone' : content.length}\0`);
    if (content !== null) digest.update(content);
  }
  return digest.digest('hex');
}
