import type { Client } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTemporalBuilds } from '../../src/api/temporal-builds.ts';
import { AppError } from '../../src/errors.ts';
import { specOf } from '../machine/sample-builds.ts';

const BURST = 100;

/** A server that begins a build when the test says so, and shows a sign of life or none. */
function server({ alive }: Readonly<{ alive: boolean }>) {
  const arrived: string[] = [];
  const underWay: ((error?: Error) => void)[] = [];
  let most = 0;
  const start = (_type: string, { workflowId }: { workflowId: string }) =>
    new Promise<void>((resolve, reject) => {
      arrived.push(workflowId);
      underWay.push((error) => (error ? reject(error) : resolve()));
      most = Math.max(most, underWay.length);
    });
  const through = (_limit: unknown, work: () => Promise<unknown>) => work();
  const getSystemInfo = () => (alive ? Promise.resolve({}) : new Promise(() => undefined));
  const client = {
    options: {},
    workflow: { start },
    connection: { workflowService: { getSystemInfo } },
    withDeadline: through,
    withAbortSignal: through,
  } as unknown as Client;
  return {
    builds: createTemporalBuilds({ client, taskQueue: 'builds', apiUrl: () => 'http://127.0.0.1' }),
    arrived,
    most: () => most,
    endOne: (error?: Error) => underWay.shift()?.(error),
  };
}

const names = Array.from({ length: BURST }, (_, i) => `build-${i}`);

/** What came of each start, in the order of the burst. */
function burst({ builds }: ReturnType<typeof server>) {
  const outcomes = names.map(() => 'waits');
  for (const [i, workflowId] of names.entries()) {
    builds.start(specOf({ workflowId })).then(
      (told) => {
        outcomes[i] = told;
      },
      (error: unknown) => {
        outcomes[i] = error instanceof AppError ? `${error.code}: ${error.message}` : String(error);
      },
    );
  }
  return outcomes;
}

const settled = () => vi.advanceTimersByTimeAsync(0);

describe('a burst of starts', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('reaches Temporal a few at a time, in the order in which it came, and each has its answer', async () => {
    const temporal = server({ alive: true });
    const outcomes = burst(temporal);
    for (const _ of names) {
      await settled();
      temporal.endOne();
    }
    await settled();
    expect(temporal.arrived).toEqual(names);
    expect(temporal.most()).toBeLessThan(BURST);
    expect(outcomes).toEqual(names.map(() => 'started'));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on when one of it is refused', async () => {
    const temporal = server({ alive: true });
    const outcomes = burst(temporal);
    await settled();
    temporal.endOne(new Error('no such namespace'));
    for (const _ of names) {
      await settled();
      temporal.endOne();
    }
    await settled();
    expect(outcomes).toEqual(['internal: Temporal refused a call', ...names.slice(1).map(() => 'started')]);
  });

  it('is told within 2 s, as a whole, that the server is away, and what did not begin has no effect', async () => {
    const temporal = server({ alive: false });
    const outcomes = burst(temporal);
    await vi.advanceTimersByTimeAsync(2000);
    const began = temporal.arrived.length;
    expect(began).toBeLessThan(BURST);
    const mayTakeEffect = /^temporal_unreachable: .*may still take effect/;
    const hadNone = /^temporal_unreachable: .*Nothing is lost/;
    for (const [i, outcome] of outcomes.entries()) expect(outcome).toMatch(i < began ? mayTakeEffect : hadNone);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(temporal.arrived).toHaveLength(began);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves none waiting for longer than a client does when the server is slow', async () => {
    const temporal = server({ alive: true });
    const outcomes = burst(temporal);
    await vi.advanceTimersByTimeAsync(15_000);
    const began = temporal.arrived.length;
    const mayTakeEffect = /^temporal_unreachable: .*may still take effect/;
    const hadNone = /^too_busy: .*was not begun/;
    for (const [i, outcome] of outcomes.entries()) expect(outcome).toMatch(i < began ? mayTakeEffect : hadNone);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(temporal.arrived).toHaveLength(began);
    expect(vi.getTimerCount()).toBe(0);
  });
});
