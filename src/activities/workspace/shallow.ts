import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The commits at which the history of a repository is cut off, as git keeps them. */
export async function shallowCommits(repository: string): Promise<string[]> {
  const text = await readFile(join(repository, 'shallow'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => /^[0-9a-f]{40}$/.test(line));
}

/** Lets git know where history is cut off, before objects come in that refer beyond. Complete or unchanged. */
export async function addShallowCommits(repository: string, commits: readonly string[]): Promise<void> {
  const known = await shallowCommits(repository);
  const all = [...new Set([...known, ...commits])];
  if (all.length === known.length) return;
  const temporary = join(repository, `tmp-${randomUUID()}`);
  await writeFile(temporary, all.map((commit) => `${commit}\n`).join(''));
  await rename(temporary, join(repository, 'shallow'));
}
