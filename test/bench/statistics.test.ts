import { describe, expect, it } from 'vitest';
import { median, percentile, rounds, slope } from '../../bench/statistics.ts';

const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('percentile', () => {
  it('is the smallest value that the given share of the values does not exceed', () => {
    expect(percentile(oneTo(100), 50)).toBe(50);
    expect(percentile(oneTo(100), 95)).toBe(95);
    expect(percentile(oneTo(60), 95)).toBe(57);
    expect(percentile([7], 95)).toBe(7);
    expect(percentile(oneTo(10), 0)).toBe(1);
    expect(percentile(oneTo(10), 100)).toBe(10);
  });

  it('does not depend on the order of the values and leaves it as it is', () => {
    const values = [30, 4, 200, 1];
    expect(percentile(values, 50)).toBe(4);
    expect(values).toEqual([30, 4, 200, 1]);
  });

  it('refuses an empty list', () => {
    expect(() => percentile([], 50)).toThrow('no values');
  });
});

describe('median', () => {
  it('is the middle value, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 1, 2, 5])).toBe(3.5);
    expect(median([4])).toBe(4);
    expect(median([4, 6])).toBe(5);
    expect(median([100, 20])).toBe(60);
  });

  it('refuses an empty list', () => {
    expect(() => median([])).toThrow('no values');
  });
});

describe('slope', () => {
  it('is what each step of x adds to y', () => {
    expect(slope([20, 40, 60].map((x) => ({ x, y: 3 * x + 7 })))).toBeCloseTo(3);
    expect(
      slope([
        { x: 0, y: 5 },
        { x: 1, y: 5 },
      ]),
    ).toBe(0);
  });

  it('goes by all points, not by the first and the last alone', () => {
    expect(
      slope([
        { x: 0, y: 0 },
        { x: 1, y: 10 },
        { x: 2, y: 10 },
        { x: 3, y: 0 },
      ]),
    ).toBeCloseTo(0);
  });

  it('is 0 where nothing can be told', () => {
    expect(slope([])).toBe(0);
    expect(
      slope([
        { x: 5, y: 1 },
        { x: 5, y: 9 },
      ]),
    ).toBe(0);
  });
});

describe('rounds', () => {
  it('shares a count out without losing any', () => {
    expect(rounds(60, 3)).toEqual([20, 20, 20]);
    expect(rounds(10, 3)).toEqual([4, 3, 3]);
    expect(rounds(1, 2)).toEqual([1, 0]);
  });
});
