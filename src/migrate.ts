import { runEntryPoint } from './compose/run.ts';
import { readConfig } from './config.ts';
import { lockDataDir, prepareDataDir } from './stack/data-dir.ts';
import { migrate } from './stack/migrations.ts';
import { startPostgres } from './stack/postgres.ts';

/** A database that does not answer is told within ten seconds, start of the process included. */
const ANSWER_TIMEOUT_MS = 8_000;

type Database = Readonly<{ url: string; close(): Promise<void> }>;

async function embeddedDatabase(folder: string): Promise<Database> {
  const dataDir = prepareDataDir(folder);
  const unlock = await lockDataDir(dataDir);
  try {
    const server = await startPostgres(dataDir);
    return { url: server.url, close: () => server.stop().finally(unlock) };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** `npm run migrate`: brings the mirror's schema up to date and checks it, in the configured or the embedded Postgres. */
await runEntryPoint(async () => {
  const { databaseUrl, dataDir } = readConfig();
  const database =
    databaseUrl === null ? await embeddedDatabase(dataDir) : { url: databaseUrl, close: async () => undefined };
  const log = (line: string): void => console.log(line);
  const done = migrate(database.url, { timeoutMs: ANSWER_TIMEOUT_MS, log });
  return { stopped: done.then(() => console.log('The schema is up to date.')), stop: database.close };
});
