import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Commit } from '../../machine/build.ts';
import type { BaseTests } from './gate.ts';
import type { TestRun } from './report.ts';

/**
 * Which tests of the user's source passed before the build began. They are run once on each worker and kept by the tree's
 * hash: the same tree has the same tests.
 */
export async function baseTests(
  { tmpDir }: Readonly<{ tmpDir: string }>,
  base: Commit,
  run: (at: Commit) => Promise<TestRun>,
): Promise<BaseTests> {
  const file = join(tmpDir, `base-tests-${base.tree}.json`);
  const kept = await readFile(file, 'utf8').catch(() => null);
  if (kept !== null) return JSON.parse(kept) as BaseTests;
  const { passed, skipped, exitCode } = await run(base);
  const tests = { passed, skipped };
  // A run that was stopped at its deadline is no measure, and may be made again.
  if (exitCode === null) return tests;
  await writeFile(`${file}.new`, JSON.stringify(tests));
  await rename(`${file}.new`, file);
  return tests;
}
