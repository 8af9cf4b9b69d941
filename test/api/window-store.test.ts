import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWindowStore } from '../../src/api/window-store.ts';

describe('a window', () => {
  it('begins with the first count of a name and ends for that name alone', () => {
    let nowMs = 0;
    const store = createWindowStore(1000, () => nowMs);
    expect(store.increment('a')).toMatchObject({ totalHits: 1, resetTime: new Date(1000) });
    nowMs = 400;
    expect(store.increment('a')).toMatchObject({ totalHits: 2, resetTime: new Date(1000) });
    expect(store.increment('b')).toMatchObject({ totalHits: 1, resetTime: new Date(1400) });
    nowMs = 1000;
    expect(store.get('a')).toBeUndefined();
    expect(store.get('b')).toMatchObject({ totalHits: 1 });
    expect(store.increment('a')).toMatchObject({ totalHits: 1, resetTime: new Date(2000) });
  });

  it('never counts more or less than what came in it', () => {
    const step = fc.record({ waitMs: fc.nat(600), name: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let nowMs = 0;
        const store = createWindowStore(1000, () => nowMs);
        const expected = new Map<string, { totalHits: number; beganMs: number }>();
        for (const { waitMs, name } of steps) {
          nowMs += waitMs;
          const old = expected.get(name);
          const counted =
            old && nowMs - old.beganMs < 1000
              ? { ...old, totalHits: old.totalHits + 1 }
              : { totalHits: 1, beganMs: nowMs };
          expected.set(name, counted);
          expect(store.increment(name).totalHits).toBe(counted.totalHits);
        }
      }),
    );
  });

  it('takes back what is not to count', () => {
    const store = createWindowStore(1000, () => 0);
    store.increment('a');
    store.increment('a');
    store.decrement('a');
    expect(store.get('a')).toMatchObject({ totalHits: 1 });
    store.resetKey('a');
    expect(store.get('a')).toBeUndefined();
  });
});
