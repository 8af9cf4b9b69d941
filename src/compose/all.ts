import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { isSimulated } from '../models.ts';
import { migrate } from '../stack/migrations.ts';
import { startStack } from '../stack/stack.ts';
import { unlessAborted } from '../within.ts';
import { startApi } from './api.ts';
import { DATABASE_ANSWER_TIMEOUT_MS } from './configured.ts';
import { openSandbox } from './sandbox.ts';
import { stackSettings } from './stack-settings.ts';
import { startWorker, type WorkerSettings } from './worker.ts';

export type AllSettings = Readonly<{
  config: Config;
  log: Logger;
  /** Progress for people, one line at a time. */
  tell: (line: string) => void;
  /** Gives up a start that is under way; what has started by then is stopped with `stop`. */
  signal?: AbortSignal;
  simulated?: NonNullable<WorkerSettings['simulated']>;
}>;

export type Everything = Readonly<{
  apiUrl: string;
  /** The Web UI of the embedded server; null when Temporal is configured. */
  uiUrl: string | null;
  databaseUrl: string;
  temporalAddress: string;
  simulated: boolean;
  /** Settles when the worker has stopped, whoever stopped it; rejects when it failed. */
  stopped: Promise<void>;
  /** Stops all of it in order. Idempotent. */
  stop(): Promise<void>;
}>;

type Part = () => Promise<unknown>;

/** Stops what was started, last first; the first failure is thrown when all were tried. */
async function stopAll(parts: Part[]): Promise<void> {
  const failures: unknown[] = [];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    await part().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/**
 * Starts the stack, the worker and the API in this process. When one fails, the others are stopped before this throws.
 * @throws AppError of the part that failed; the signal's reason when it aborts
 */
export async function startAll({ config, log, tell, signal, simulated }: AllSettings): Promise<Everything> {
  const parts: Part[] = [];
  try {
    // It may have to be installed: the servers start meanwhile.
    const opening = openSandbox({ config, tell, signal });
    opening.catch(() => undefined);
    const stack = await startStack({ ...stackSettings(config, tell), signal });
    parts.push(() => stack.stop());
    const { databaseUrl } = stack;
    const temporalAddress = stack.temporal.address;
    await unlessAborted(migrate(databaseUrl, { timeoutMs: DATABASE_ANSWER_TIMEOUT_MS, log: tell }), signal);
    const common = { config, databaseUrl, temporalAddress, log };
    const sandbox = await opening;
    const worker = await startWorker({ ...common, sandbox, ...(simulated ? { simulated } : {}) });
    parts.push(() => worker.close());
    signal?.throwIfAborted();
    const api = await startApi(common);
    parts.push(() => api.close());
    tell(`The API is up on ${api.url}`);
    return {
      apiUrl: api.url,
      uiUrl: stack.temporal.uiUrl,
      databaseUrl,
      temporalAddress,
      simulated: isSimulated(config.models.providers),
      stopped: worker.stopped,
      stop: () => stopAll(parts),
    };
  } catch (error) {
    await stopAll(parts).catch((failure: unknown) =>
      log.warn({ error: String(failure) }, 'a part did not stop cleanly'),
    );
    throw error;
  }
}
