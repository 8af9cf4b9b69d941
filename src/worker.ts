import { migrateWhenReady, requireAddresses } from './compose/configured.ts';
import { createLog } from './compose/logging.ts';
import { runEntryPoint } from './compose/run.ts';
import { openSandbox } from './compose/sandbox.ts';
import { installRuntime } from './compose/sdk-runtime.ts';
import { startWorkerWhenReady } from './compose/worker-when-ready.ts';
import { readConfig } from './config.ts';

/** `npm run start:worker`: a worker alone, against a configured Temporal and Postgres, for which it waits. */
await runEntryPoint(async (signal) => {
  const config = readConfig();
  const addresses = requireAddresses(config);
  const log = createLog(config.logLevel);
  installRuntime(log);
  const sandbox = await openSandbox({ config, tell: (line) => console.log(line), signal });
  const migration = migrateWhenReady(addresses.databaseUrl, log);
  const worker = startWorkerWhenReady({ config, ...addresses, log, sandbox });
  worker.started.then(
    () => console.log(`The worker is up on task queue ${config.temporal.taskQueue}`),
    () => undefined,
  );
  return {
    stopped: worker.stopped,
    stop: async () => {
      migration.stop();
      await worker.close();
    },
  };
});
