import type { Context } from '@temporalio/activity';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startMeter } from '../../../src/activities/phase/work-meter.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Beats in ten seconds of so many phases at once, each. */
function beatsOf(phases: number): number[] {
  const counts = Array.from({ length: phases }, () => 0);
  const meters = counts.map((_, index) => {
    const heartbeat = (): void => {
      counts[index] = (counts[index] ?? 0) + 1;
    };
    const info = { heartbeatDetails: undefined, attempt: 1 };
    const context = { info, heartbeat, cancellationSignal: new AbortController().signal };
    return startMeter(context as unknown as Context, 60_000);
  });
  vi.advanceTimersByTime(10_000);
  for (const meter of meters) meter.stop();
  const before = [...counts];
  vi.advanceTimersByTime(10_000);
  expect(counts).toEqual(before);
  return counts;
}

it('beats every second while few phases run, and never less than every 2.5 s', () => {
  expect(beatsOf(1)).toEqual([10]);
  const [first = 0] = beatsOf(50);
  expect(first).toBe(5);
  expect(new Set(beatsOf(400))).toEqual(new Set([4]));
  // Those that are over count no more.
  expect(beatsOf(1)).toEqual([10]);
});
