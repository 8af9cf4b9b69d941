import { startApi } from './compose/api.ts';
import { migrateWhenReady, requireAddresses } from './compose/configured.ts';
import { createLog } from './compose/logging.ts';
import { runEntryPoint } from './compose/run.ts';
import { readConfig } from './config.ts';

/** `npm run start:api`: the API alone, against a configured Temporal and Postgres, for which it waits. */
await runEntryPoint(async () => {
  const config = readConfig();
  const addresses = requireAddresses(config);
  const log = createLog(config.logLevel);
  const migration = migrateWhenReady(addresses.databaseUrl, log);
  const api = await startApi({ config, ...addresses, log });
  console.log(`The API is up on ${api.url}`);
  return {
    stopped: new Promise(() => undefined),
    stop: async () => {
      migration.stop();
      await api.close();
    },
  };
});
