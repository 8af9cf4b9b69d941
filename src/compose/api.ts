import { Client, Connection } from '@temporalio/client';
import type { Logger } from 'pino';
import { createApp } from '../api/app.ts';
import { listen } from '../api/listen.ts';
import { createLiveEvents } from '../api/live/live-events.ts';
import { createTemporalBuilds } from '../api/temporal-builds.ts';
import { createFolderStore } from '../artifacts/artifact-store.ts';
import type { Config } from '../config.ts';
import { createEndings } from '../mirror/endings.ts';
import { createEventFeed } from '../mirror/event-feed.ts';
import { createReadClient } from '../mirror/read-client.ts';
import { createReader, type MirrorReader } from '../mirror/reader.ts';
import { isSimulated, type Providers } from '../models.ts';
import { PAYLOAD_CONVERTER_PATH } from '../payload-converter-path.ts';
import { type Reconciler, startReconciler } from '../reconciler/reconciler.ts';
import { createTemporalRuns } from '../reconciler/temporal-runs.ts';
import { within } from '../within.ts';
import { clientConnectionOptions } from './temporal.ts';

export type ApiSettings = Readonly<{ config: Config; databaseUrl: string; temporalAddress: string; log: Logger }>;
export type RunningApi = Readonly<{ url: string; close(): Promise<void> }>;

/** Workers reach the simulated model where they started it; the API only needs to know that it serves every name. */
const SOMEWHERE: Providers = { simulated: { baseUrl: 'http://127.0.0.1' } };

const READ_CONNECTIONS = 8;
const READ_TIMEOUT_MS = 2000;
/** For live events: two for who catches up, one for who is live, one for who connects. */
const FEED_CONNECTIONS = 4;
/** For builds that end from outside: seldom more than one at a time. */
const ENDING_CONNECTIONS = 2;
const PING_TIMEOUT_MS = 1500;

// The SDK's own retries outlive a deadline, so the time is kept here.
const pingTemporal = (client: Client): Promise<unknown> =>
  within(client.workflowService.getSystemInfo({}), PING_TIMEOUT_MS);

type Following = Readonly<{ client: Client; taskQueue: string }> & Pick<ApiSettings, 'databaseUrl' | 'log'>;

function followEnds({ client, taskQueue, databaseUrl, log }: Following): Reconciler {
  const mirror = createEndings({ databaseUrl, poolSize: ENDING_CONNECTIONS, timeoutMs: READ_TIMEOUT_MS });
  const runs = createTemporalRuns(client, taskQueue);
  const { notice, close } = startReconciler({ runs, mirror, log, now: () => Date.now() });
  return { notice, close: () => close().finally(mirror.close) };
}

/** Composes and starts the API. It needs neither Temporal nor Postgres to start: `/readyz` says what is away. */
export async function startApi({ config, databaseUrl, temporalAddress, log }: ApiSettings): Promise<RunningApi> {
  const connection = Connection.lazy(clientConnectionOptions(config.temporal, temporalAddress));
  const { namespace, taskQueue } = config.temporal;
  const client = new Client({ connection, namespace, dataConverter: { payloadConverterPath: PAYLOAD_CONVERTER_PATH } });
  const reads = createReadClient({ databaseUrl, poolSize: READ_CONNECTIONS, timeoutMs: READ_TIMEOUT_MS });
  const mirror = createReader(reads.prisma, READ_TIMEOUT_MS);
  const feed = createEventFeed({ databaseUrl, poolSize: FEED_CONNECTIONS, timeoutMs: READ_TIMEOUT_MS });
  const live = createLiveEvents({ feed, log });
  const { models, activeTimeoutMs, maxSendBacks, coverageMin, sources } = config;
  const providers = isSimulated(models.providers) ? SOMEWHERE : models.providers;
  let url = '';
  let reconciler: Reconciler | null = null;
  const app = createApp({
    builds: createTemporalBuilds({ client, taskQueue, apiUrl: () => config.api.publicUrl ?? url }),
    mirror,
    feed,
    live,
    noticeEnd: (workflowId) => reconciler?.notice(workflowId),
    artifacts: createFolderStore(config.artifactsDir),
    settings: {
      ...{ activeTimeoutMs, maxSendBacks, coverageMin, sources, models: { ...models, providers } },
      announces: config.releases.webhook !== null,
      mayRunAnyFiles: config.sandbox.mode === 'required' || config.sandbox.offConfirmed,
    },
    keys: config.api.keys,
    rateLimitPerS: config.api.rateLimitPerS,
    corsOrigins: config.api.corsOrigins,
    log,
    now: () => Date.now(),
    readiness: async () => {
      const asked = [pingTemporal(client), mirror.ping(PING_TIMEOUT_MS)].map(answers);
      const [temporal = false, mirrorAnswers = false] = await Promise.all(asked);
      return { temporal, mirror: mirrorAnswers };
    },
  });
  const [listening] = await Promise.all([listen(app, config.api, log), readOnce(mirror)]);
  url = listening.url;
  const ends = followEnds({ client, taskQueue, databaseUrl, log });
  reconciler = ends;
  return {
    url,
    close: async () => {
      // Streams first: they would last as long as they are let.
      live.close();
      await listening.close();
      await ends.close();
      await Promise.allSettled([connection.close(), reads.close(), feed.close()]);
    },
  };
}

/**
 * The first read loads the query compiler and connects, which takes longer than a call may wait when the machine is busy: so it is
 * made before anybody asks. Without a database the API starts all the same.
 */
const readOnce = (mirror: MirrorReader): Promise<unknown> => mirror.findBuild('').catch(() => undefined);

const answers = (ping: Promise<unknown>): Promise<boolean> =>
  ping.then(
    () => true,
    () => false,
  );
