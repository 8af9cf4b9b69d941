import type { TestProject } from 'vitest/node';
import { readConfig } from '../../src/config.ts';
import { findTemporalBinary } from '../../src/stack/temporal-binary.ts';
import { workflowBundle } from '../../src/workflow-bundle.ts';
import { findChromium } from './fixtures/chromium.ts';

/** What may take minutes on a fresh machine is got once, in the open, before any test's deadline runs. */
export async function setup(project: TestProject): Promise<void> {
  const { XDG_CACHE_HOME, TEMPORAL_CLI, CHROMIUM_PATH, REQUIRE_BROWSER } = process.env;
  const { cacheDir, temporal } = readConfig({ XDG_CACHE_HOME, TEMPORAL_CLI });
  const log = (line: string): void => console.error(line);
  await findTemporalBinary({ temporalCli: temporal.cli ?? undefined, cacheDir, log });
  await workflowBundle(cacheDir);
  const chromium = await findChromium({ chromiumPath: CHROMIUM_PATH, cacheDir, log });
  if ('absent' in chromium) {
    if (REQUIRE_BROWSER) throw new Error(`REQUIRE_BROWSER is set, and ${chromium.absent}`);
    log(`Tests in a browser are skipped: ${chromium.absent}`);
  }
  project.provide('chromium', chromium);
}
