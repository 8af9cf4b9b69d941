import type { Client } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { callTemporal, grpcCode, Unreachable } from '../../src/api/temporal-call.ts';

const never = () => new Promise<never>(() => undefined);

/** A client that keeps no deadline itself, as the real one does not while it waits between its tries. */
function client(getSystemInfo: () => Promise<unknown>): Client {
  const through = (_limit: unknown, fn: () => Promise<unknown>) => fn();
  const connection = { workflowService: { getSystemInfo } };
  return { connection, withDeadline: through, withAbortSignal: through } as unknown as Client;
}

describe('a call to Temporal', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('gives the answer and asks for no sign of life when it is quick', async () => {
    const sign = vi.fn(async () => ({}));
    expect(await callTemporal(client(sign), 5000, async () => 'answer')).toBe('answer');
    await vi.runAllTimersAsync();
    expect(sign).not.toHaveBeenCalled();
  });

  it.each([
    ['does not answer', never],
    ['refuses', () => Promise.reject(new Error('refused'))],
  ])('is given up within 2 s when the server %s', async (_what, sign) => {
    const call = callTemporal(client(sign), 5000, never);
    const given = expect(call).rejects.toBeInstanceOf(Unreachable);
    await vi.advanceTimersByTimeAsync(2000);
    await given;
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['at the deadline, which the server keeps, too, has reached it', 1950, 4],
    ['before is told as it is', 1000, 1],
  ])('that the server resets %s', async (_what, afterMs, code) => {
    const reset = Object.assign(new Error('1 CANCELLED: Call cancelled'), { code: 1 });
    const call = callTemporal(
      client(async () => ({})),
      2000,
      () =>
        new Promise((_, reject) => setTimeout(() => reject(new Error('Failed to query', { cause: reset })), afterMs)),
    ).catch((error: unknown) => grpcCode(error));
    await vi.advanceTimersByTimeAsync(afterMs);
    expect(await call).toBe(code);
  });

  it('waits for its deadline when the server is there but the answer is not', async () => {
    const outcome = vi.fn();
    const call = callTemporal(
      client(async () => ({})),
      5000,
      never,
    ).catch(outcome);
    await vi.advanceTimersByTimeAsync(4900);
    expect(outcome).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(300);
    await call;
    expect(outcome).toHaveBeenCalledWith(expect.objectContaining({ code: 4 }));
    expect(vi.getTimerCount()).toBe(0);
  });
});
