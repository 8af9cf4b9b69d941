import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 15;

/** Resolves with true as soon as the condition holds, with false when it did not within the deadline. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, deadlineMs: number): Promise<boolean> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() >= end) return false;
    await sleep(POLL_MS);
  }
}
