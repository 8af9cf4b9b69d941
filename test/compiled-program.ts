import { mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export type CompiledProgram = Readonly<{ path: string; remove(): Promise<void> }>;

/**
 * A program of the tests in one file, for tests that start it often: translating its modules at each start takes five times
 * the processor time. It lies inside the project, where its packages are found.
 */
export async function compileProgram(source: URL): Promise<CompiledProgram> {
  const entry = fileURLToPath(source);
  const outdir = await mkdtemp(join(ROOT, 'node_modules', '.compiled-program-'));
  await build({
    entryPoints: [entry],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  });
  const path = join(outdir, basename(entry).replace(/\.ts$/, '.mjs'));
  return { path, remove: () => rm(outdir, { recursive: true }) };
}
