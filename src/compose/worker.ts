import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { ActivityDeps } from '../activities/deps.ts';
import { createActivities } from '../activities/index.ts';
import { createReleases } from '../activities/release/release.ts';
import { createMeasure } from '../activities/sandbox/measure.ts';
import type { Sandbox } from '../activities/sandbox/sandbox.ts';
import { createWorkspaces } from '../activities/workspace/workspaces.ts';
import { createFolderStore } from '../artifacts/artifact-store.ts';
import type { Config } from '../config.ts';
import { createMirror } from '../mirror/mirror.ts';
import { isSimulated } from '../models.ts';
import { PAYLOAD_CONVERTER_PATH } from '../payload-converter-path.ts';
import { startSimulatedModel } from '../stack/simulated-model/simulated-model.ts';
import { workflowBundle } from '../workflow-bundle.ts';
import { takeStorageReferencesAsTheyAre } from './storage-references.ts';
import { workerConnectionOptions } from './temporal.ts';

/** A flush takes under a millisecond: few connections serve many builds. */
export const MIRROR_CONNECTIONS = 4;

const RESET_DEADLINE_MS = 2000;

/** How every worker of the product is set; the bench gives the floor's worker the same. */
export const WORKER_TUNING = {
  /** Fewer than are in flight would cost a replay for every step. */
  maxCachedWorkflows: 1000,
  /** Model calls wait for the network, so many run at once. */
  maxConcurrentActivityTaskExecutions: 400,
  /** An activity hears of its cancellation with a heartbeat: at the stock 4 s many have ended before. */
  maxHeartbeatThrottleInterval: '500ms',
  defaultHeartbeatThrottleInterval: '500ms',
  /**
   * Tasks wait up to 5 s where hundreds of builds are in flight on two processors. One that is not taken in time costs a replay,
   * and queues again behind all new builds. So long waits the first task after a worker's death, unless it follows a phase.
   */
  stickyQueueScheduleToStartTimeout: '5s',
  /** At the stock 0.2 new builds wait for half a minute while those that were first go on (measured with 300 in flight). */
  nonStickyToStickyPollRatio: 0.5,
  /** One thread works on them: of 40, those that 300 new builds brought came near the 3 s after which a task has failed. */
  maxConcurrentWorkflowTaskExecutions: 20,
  shutdownGraceTime: '1s',
  shutdownForceTime: '5s',
} as const;

export type WorkerSettings = Readonly<{
  config: Config;
  databaseUrl: string;
  temporalAddress: string;
  log: Logger;
  /** Where programs of builds run. */
  sandbox: Sandbox;
  /** How the simulated model plays, when no provider is configured. */
  simulated?: Readonly<{ paceMs?: number; firstAttemptMistake?: boolean }>;
  /** Replaces parts of what activities work with: for the bench and for tests. */
  deps?: Partial<ActivityDeps>;
}>;

export type RunningWorker = Readonly<{
  deps: ActivityDeps;
  /** Settles when the worker has stopped; rejects when it failed. */
  stopped: Promise<void>;
  close(): Promise<void>;
}>;

async function modelsOf({ config, simulated }: WorkerSettings) {
  const { models } = config;
  if (!isSimulated(models.providers)) return { models, stop: async () => undefined };
  const server = await startSimulatedModel(simulated);
  const providers = { simulated: { baseUrl: server.baseUrl } };
  return { models: { ...models, providers }, stop: () => server.stop() };
}

type Reached = Pick<ActivityDeps, 'mirror' | 'models' | 'resetStickyQueue'>;

/** What activities of this worker work with. */
function depsOf({ config, log, sandbox, deps = {} }: WorkerSettings, reached: Reached): ActivityDeps {
  const tmpDir = join(config.dataDir, 'tmp');
  mkdirSync(tmpDir, { recursive: true });
  const store = deps.store ?? createFolderStore(config.artifactsDir);
  const workspaces = deps.workspaces ?? createWorkspaces({ rootDir: join(config.dataDir, 'workspaces'), store });
  const { releasesDir, publishTarget, webhook } = config.releases;
  return {
    ...reached,
    store,
    workspaces,
    sandbox,
    measureTests: createMeasure(config.dependenciesDir),
    releases: createReleases({ store, workspaces, releasesDir, target: publishTarget, log }),
    sources: config.sources,
    webhook,
    publicUrl: config.api.publicUrl,
    tmpDir,
    log,
    ...deps,
  };
}

const stickyQueueReset =
  (connection: NativeConnection, namespace: string): ActivityDeps['resetStickyQueue'] =>
  async (execution) => {
    await connection.withDeadline(Date.now() + RESET_DEADLINE_MS, () =>
      connection.workflowService.resetStickyTaskQueue({ namespace, execution }),
    );
  };

/** Composes and starts a worker: it takes phases of any build of its task queue. */
export async function startWorker(settings: WorkerSettings): Promise<RunningWorker> {
  const { config, databaseUrl, temporalAddress, log } = settings;
  const [codePath, connection] = await Promise.all([
    workflowBundle(config.cacheDir),
    NativeConnection.connect(workerConnectionOptions(config.temporal, temporalAddress)),
  ]);
  const model = await modelsOf(settings);
  const mirror = createMirror({ databaseUrl, poolSize: MIRROR_CONNECTIONS });
  const resetStickyQueue = stickyQueueReset(connection, config.temporal.namespace);
  const deps = depsOf(settings, { mirror, models: model.models, resetStickyQueue });
  const closeParts = (): Promise<unknown> => Promise.allSettled([connection.close(), mirror.close(), model.stop()]);
  log.info({ sandbox: deps.sandbox.kind, takesAnyFiles: deps.sandbox.takesAnyFiles }, 'where programs of builds run');
  takeStorageReferencesAsTheyAre();
  const worker = await Worker.create({
    connection,
    namespace: config.temporal.namespace,
    taskQueue: config.temporal.taskQueue,
    workflowBundle: { codePath },
    activities: createActivities(deps),
    dataConverter: { payloadConverterPath: PAYLOAD_CONVERTER_PATH },
    ...WORKER_TUNING,
  }).catch(async (error: unknown) => {
    // Whoever waits for Temporal starts a worker again and again: a failed start may leave nothing behind.
    await closeParts();
    throw error;
  });
  const runToEnd = async (): Promise<void> => {
    try {
      await worker.run();
    } finally {
      await closeParts();
    }
  };
  const stopped = runToEnd();
  return {
    deps,
    stopped,
    close: () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      return stopped;
    },
  };
}
