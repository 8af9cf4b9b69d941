import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

// git's own format of an empty bare repository, stable for two decades: written by hand it costs no process.
const FILES = {
  HEAD: 'ref: refs/heads/build\n',
  config: '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n',
  // Stronger than any .gitattributes among the build's files: what is written out is byte for byte what was committed.
  'info/attributes': '* -text !eol -ident -filter !working-tree-encoding -export-ignore -export-subst\n',
} as const;

/** Makes an empty bare repository unless one is there. Complete or absent, whatever is killed; safe to race. */
export async function ensureRepository(path: string): Promise<void> {
  if (await exists(path)) return;
  const temporary = join(dirname(path), `.new-${randomUUID()}`);
  try {
    for (const folder of ['objects/pack', 'refs', 'info']) await mkdir(join(temporary, folder), { recursive: true });
    for (const [name, content] of Object.entries(FILES)) await writeFile(join(temporary, name), content);
    await rename(temporary, path);
  } catch (error) {
    // Another worker was faster: a folder never replaces one that has content.
    if (!(await exists(path))) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(join(path, 'HEAD')).then(
    () => true,
    () => false,
  );
}
