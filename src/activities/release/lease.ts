import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeJson } from './record-files.ts';

const RENEWED_EVERY_MS = 1000;
/** A lease that nobody renewed for so long is that of a dead process. */
const LEASE_MS = 5000;
const LOOK_EVERY_MS = 50;

/** Says in a file that this process works on something, until `end` is called or the process dies. */
export async function holdLease(folder: string, name: string): Promise<{ end(): Promise<void> }> {
  const who = randomUUID();
  let count = 0;
  const renew = (): Promise<void> => {
    count += 1;
    return writeJson(folder, name, { who, count });
  };
  await renew();
  let last = Promise.resolve();
  const timer = setInterval(() => {
    last = renew().catch(() => undefined);
  }, RENEWED_EVERY_MS);
  return {
    end: async () => {
      clearInterval(timer);
      await last;
      await rm(join(folder, name), { force: true });
    },
  };
}

/**
 * Waits until nobody holds a lease any more: who lives ends it, who is dead renews nothing. The clocks of two machines are
 * never compared.
 */
export async function leaseEnded(folder: string, name: string, signal: AbortSignal): Promise<void> {
  const look = (): Promise<string | null> => readFile(join(folder, name), 'utf8').catch(() => null);
  let seen = await look();
  let sinceMs = performance.now();
  while (seen !== null && performance.now() - sinceMs < LEASE_MS) {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    const now = await look();
    if (now !== seen) sinceMs = performance.now();
    seen = now;
  }
}
