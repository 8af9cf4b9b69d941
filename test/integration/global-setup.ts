import type { TestProject } from 'vitest/node';
import { compile, isDistStale } from '../../scripts/compile.mjs';
import { bubblewrap } from '../../src/compose/sandbox.ts';
import { readConfig } from '../../src/config.ts';
import { findTemporalBinary } from '../../src/stack/temporal-binary.ts';
import { workflowBundle } from '../../src/workflow-bundle.ts';
import { findChromium } from './fixtures/chromium.ts';
import { findCluster } from './fixtures/cluster-binaries.ts';
import { prepareDatabase } from './fixtures/prepared-database.ts';
import { findPytest } from './fixtures/pytest.ts';
import { startSharedServers } from './fixtures/shared-servers.ts';
import { findTctl } from './fixtures/tctl-binary.ts';
import { holdUsualPorts } from './fixtures/usual-ports.ts';

const log = (line: string): void => console.error(line);

/** Says which tests are skipped and why. @throws Error where they were not to be skipped: the named variable is set */
function tellAbsence(
  found: object,
  tests: string,
  variable: 'REQUIRE_BROWSER' | 'REQUIRE_CLUSTER' | 'REQUIRE_PYTEST' | 'REQUIRE_SANDBOX' | 'REQUIRE_TCTL',
): void {
  if (!('absent' in found)) return;
  if (process.env[variable]) throw new Error(`${variable} is set, and ${found.absent}`);
  log(`${tests} are skipped: ${found.absent}`);
}

/**
 * What may take minutes on a fresh machine is got once, in the open, before any test's deadline runs.
 * @returns what is to be undone when all tests have run
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (isDistStale()) await compile();
  const { XDG_CACHE_HOME, TEMPORAL_CLI, CHROMIUM_PATH } = process.env;
  const { cacheDir, temporal } = readConfig({ XDG_CACHE_HOME, TEMPORAL_CLI });
  const temporalCli = await findTemporalBinary({ temporalCli: temporal.cli ?? undefined, cacheDir, log });
  project.provide('temporalCli', temporalCli);
  await workflowBundle(cacheDir);
  const chromium = await findChromium({ chromiumPath: CHROMIUM_PATH, cacheDir, log });
  tellAbsence(chromium, 'Tests in a browser', 'REQUIRE_BROWSER');
  project.provide('chromium', chromium);
  const tctl = await findTctl({ cacheDir, log });
  tellAbsence(tctl, 'Tests with tctl', 'REQUIRE_TCTL');
  project.provide('tctl', tctl);
  const cluster = await findCluster({ cacheDir, log });
  tellAbsence(cluster, 'Tests of the production shape', 'REQUIRE_CLUSTER');
  project.provide('cluster', cluster);
  tellAbsence(await bubblewrap(log), 'Tests in the sandbox', 'REQUIRE_SANDBOX');
  tellAbsence(await findPytest(log), 'Tests with pytest', 'REQUIRE_PYTEST');
  const releasePorts = await holdUsualPorts();
  const removeDatabase = await prepareDatabase();
  const shared = await startSharedServers();
  project.provide('sharedServers', shared.servers);
  return async () => {
    await shared.stop();
    await releasePorts();
    await removeDatabase();
  };
}
