import { pause } from '../pause.ts';
import { type RunningWorker, startWorker, type WorkerSettings } from './worker.ts';

export type WaitingWorker = Readonly<{
  /** Never settles when it was closed before it started. */
  started: Promise<void>;
  stopped: Promise<void>;
  close(): Promise<void>;
}>;

const AGAIN_AFTER_MS = 2000;

/** Starts a worker as soon as Temporal answers, however long that takes; `close` ends the waiting, or the worker. */
export function startWorkerWhenReady(settings: WorkerSettings): WaitingWorker {
  const closing = new AbortController();
  const start = async (): Promise<RunningWorker | null> => {
    while (!closing.signal.aborted) {
      try {
        return await startWorker(settings);
      } catch (error) {
        const told = error instanceof Error ? error.message : String(error);
        settings.log.warn({ error: told }, 'Temporal does not answer yet');
        await pause(AGAIN_AFTER_MS, closing.signal);
      }
    }
    return null;
  };
  const running = start();
  const stopped = running.then((worker) => worker?.stopped);
  return {
    started: running.then((worker) => (worker === null ? new Promise(() => undefined) : undefined)),
    stopped,
    close: async () => {
      closing.abort();
      await (await running)?.close();
    },
  };
}
