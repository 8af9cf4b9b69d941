import { mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileInto } from '../scripts/compile.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export type CompiledProgram = Readonly<{ path: string; remove(): Promise<void> }>;

/**
 * A program of the tests, compiled, for tests that start it often: translating its modules at each start takes five times
 * the processor time. It lies inside the project, where what is left outside it is found.
 */
export async function compileProgram(source: URL): Promise<CompiledProgram> {
  const entry = fileURLToPath(source);
  const outdir = await mkdtemp(join(ROOT, 'node_modules', '.compiled-program-'));
  await compileInto(outdir, [entry]);
  const path = join(outdir, basename(entry).replace(/\.ts$/, '.mjs'));
  return { path, remove: () => rm(outdir, { recursive: true }) };
}
