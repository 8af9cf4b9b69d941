import type { ClientRateLimitInfo } from 'express-rate-limit';

/** A store of `express-rate-limit` that answers at once, so that nothing comes between a look and a count. */
export type WindowStore = Readonly<{
  localKeys: true;
  get(name: string): ClientRateLimitInfo | undefined;
  increment(name: string): ClientRateLimitInfo;
  decrement(name: string): void;
  resetKey(name: string): void;
}>;

/**
 * Counts by name in windows of one length, each beginning with its first count. It lives in this process alone, has no
 * timer that would have to be stopped, and forgets windows that are over, so that many names do not fill the memory.
 */
export function createWindowStore(windowMs: number, now: () => number): WindowStore {
  // In the order in which they end, because all are of one length.
  const windows = new Map<string, { totalHits: number; resetTime: Date }>();
  const forgetOver = (): void => {
    for (const [name, { resetTime }] of windows) {
      if (resetTime.getTime() > now()) return;
      windows.delete(name);
    }
  };
  return {
    localKeys: true,
    get(name) {
      forgetOver();
      return windows.get(name);
    },
    increment(name) {
      forgetOver();
      const counted = windows.get(name) ?? { totalHits: 0, resetTime: new Date(now() + windowMs) };
      counted.totalHits += 1;
      windows.set(name, counted);
      return counted;
    },
    decrement(name) {
      const counted = windows.get(name);
      if (counted) counted.totalHits -= 1;
    },
    resetKey: (name) => void windows.delete(name),
  };
}
