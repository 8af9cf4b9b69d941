import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for so long, or until the signal aborts: then it is over at once, as any other pause. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);
