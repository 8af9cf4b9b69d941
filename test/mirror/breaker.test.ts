import { describe, expect, it } from 'vitest';
import { createBreaker } from '../../src/mirror/breaker.ts';

const breakerAt = () => {
  const clock = { ms: 0 };
  return { clock, breaker: createBreaker(1_000, () => clock.ms) };
};

describe('the breaker', () => {
  it('lets everybody through while nothing failed', () => {
    const { breaker } = breakerAt();
    breaker.succeeded();
    expect([breaker.mayTry(), breaker.mayTry()]).toEqual([true, true]);
  });

  it('lets nobody through for its time after a failure, then one', () => {
    const { breaker, clock } = breakerAt();
    breaker.failed();
    clock.ms = 999;
    expect(breaker.mayTry()).toBe(false);
    clock.ms = 1_000;
    expect([breaker.mayTry(), breaker.mayTry()]).toEqual([true, false]);
  });

  it('counts its time anew when the one failed', () => {
    const { breaker, clock } = breakerAt();
    breaker.failed();
    clock.ms = 1_000;
    breaker.mayTry();
    clock.ms = 1_500;
    breaker.failed();
    clock.ms = 2_499;
    expect(breaker.mayTry()).toBe(false);
    clock.ms = 2_500;
    expect(breaker.mayTry()).toBe(true);
  });

  it('lets everybody through again after a success', () => {
    const { breaker } = breakerAt();
    breaker.failed();
    breaker.succeeded();
    expect([breaker.mayTry(), breaker.mayTry()]).toEqual([true, true]);
  });
});
