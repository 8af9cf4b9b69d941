import { readConfig } from '../../src/config.ts';
import { findTemporalBinary } from '../../src/stack/temporal-binary.ts';
import { workflowBundle } from '../../src/workflow-bundle.ts';

/** What may take minutes on a fresh machine is got once, in the open, before any test's deadline runs. */
export async function setup(): Promise<void> {
  const { XDG_CACHE_HOME, TEMPORAL_CLI } = process.env;
  const config = readConfig({ XDG_CACHE_HOME, TEMPORAL_CLI });
  const log = (line: string): void => console.error(line);
  await findTemporalBinary({ temporalCli: config.temporal.cli ?? undefined, cacheDir: config.cacheDir, log });
  await workflowBundle(config.cacheDir);
}
