import { Client, Connection } from '@temporalio/client';
import type { Logger } from 'pino';
import { createApp } from '../api/app.ts';
import { listen } from '../api/listen.ts';
import { createTemporalBuilds } from '../api/temporal-builds.ts';
import { createFolderStore } from '../artifacts/artifact-store.ts';
import type { Config } from '../config.ts';
import { createReader } from '../mirror/reader.ts';
import type { Providers } from '../models.ts';
import { PAYLOAD_CONVERTER_PATH } from '../workflow-bundle.ts';
import { connectionOptions } from './temporal.ts';
import { isSimulated } from './worker.ts';

export type ApiSettings = Readonly<{ config: Config; databaseUrl: string; temporalAddress: string; log: Logger }>;
export type RunningApi = Readonly<{ url: string; close(): Promise<void> }>;

/** Workers reach the simulated model where they started it; the API only needs to know that it serves every name. */
const SOMEWHERE: Providers = { simulated: { baseUrl: 'http://127.0.0.1' } };

/** Composes and starts the API. It needs neither Temporal nor Postgres to start: `/readyz` says what is away. */
export async function startApi({ config, databaseUrl, temporalAddress, log }: ApiSettings): Promise<RunningApi> {
  const connection = Connection.lazy(connectionOptions(config.temporal, temporalAddress));
  const { namespace, taskQueue } = config.temporal;
  const client = new Client({ connection, namespace, dataConverter: { payloadConverterPath: PAYLOAD_CONVERTER_PATH } });
  const mirror = createReader({ databaseUrl });
  const builds = createTemporalBuilds({ client, taskQueue });
  const { models, activeTimeoutMs, maxSendBacks, coverageMin } = config;
  const providers = isSimulated(models.providers) ? SOMEWHERE : models.providers;
  const app = createApp({
    builds,
    mirror,
    artifacts: createFolderStore(config.artifactsDir),
    settings: { activeTimeoutMs, maxSendBacks, coverageMin, models: { ...models, providers } },
    keys: config.api.keys,
    log,
    now: () => Date.now(),
    readiness: async () => ({ temporal: await answers(builds.ping()), mirror: await answers(mirror.ping()) }),
  });
  const listening = await listen(app, config.api);
  return {
    url: listening.url,
    close: async () => {
      await listening.close();
      await Promise.allSettled([connection.close(), mirror.close()]);
    },
  };
}

const answers = (ping: Promise<unknown>): Promise<boolean> =>
  ping.then(
    () => true,
    () => false,
  );
