import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../src/machine/json.ts';
import { jsonText } from '../../src/prompts/blocks.ts';
import { firstChars, fitJson, fitText, greatestThatFits, shareOut } from '../../src/prompts/fit.ts';

test('a text is cut between characters, never inside one', () => {
  expect(firstChars('😀😀', 1)).toBe(' [… cut, 0 of 4 characters shown]');
  expect(firstChars('😀😀', 2)).toBe('😀 [… cut, 2 of 4 characters shown]');
  expect(firstChars('😀😀', 3)).toBe('😀 [… cut, 2 of 4 characters shown]');
  expect(firstChars('😀😀', 4)).toBe('😀😀');
});

test('a text with its note keeps to the limit', () => {
  expect(fitText('x'.repeat(1000), 100)).toMatch(/^x+ \[… cut, \d+ of 1000 characters shown\]$/);
  expect(fitText('x'.repeat(1000), 100).length).toBeLessThanOrEqual(100);
  expect(fitText('x'.repeat(1000), 100).length).toBeGreaterThan(95);
  expect(fitText('x'.repeat(100), 100)).toBe('x'.repeat(100));
  expect(fitText('x'.repeat(100), -5)).toBe(' [… cut, 0 of 100 characters shown]');
});

test('the greatest number that fits is found, and -1 when none does', () => {
  expect(greatestThatFits(1000, (n) => n <= 417)).toBe(417);
  expect(greatestThatFits(1000, () => true)).toBe(1000);
  expect(greatestThatFits(1000, () => false)).toBe(-1);
  expect(greatestThatFits(-3, (n) => n === 0)).toBe(0);
});

test('a budget serves small needs whole and shares the rest evenly', () => {
  expect(shareOut([10, 500, 20, 500], 230)).toEqual([10, 100, 20, 100]);
  expect(shareOut([10, 20], 100)).toEqual([10, 20]);
  expect(shareOut([10, 20], -1)).toEqual([0, 0]);
  expect(shareOut([], 100)).toEqual([]);
});

test('a budget is never exceeded, and no need more than met', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { maxLength: 9 }), fc.nat(5000), (needs, budget) => {
      const shares = shareOut(needs, budget);
      const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
      expect(sum(shares)).toBeLessThanOrEqual(budget);
      expect(shares.every((share, index) => share <= (needs[index] ?? 0))).toBe(true);
      if (sum(needs) <= budget) expect(shares).toEqual(needs);
    }),
  );
});

test('any JSON fits into any room that holds a note, and stays itself where it fits whole', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 60, max: 400 }), (value, limit) => {
      const fitted = fitJson(value as Json, limit);
      expect(jsonText(fitted).length).toBeLessThanOrEqual(limit);
      if (jsonText(value as Json).length <= limit) expect(fitted).toBe(value);
    }),
    { numRuns: 300 },
  );
});
