import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changedCoverage } from '../../../src/activities/sandbox/changed-coverage.ts';
import type { Span } from '../../../src/activities/sandbox/report.ts';

const SPANS = new Map<string, readonly Span[]>([
  [
    'src/a.js',
    [
      [1, 1, 1],
      [2, 4, 0],
      [5, 5, 0],
      [9, 9, 1],
    ],
  ],
  ['src/gone.js', [[1, 1, 0]]],
  ['src/words.js', []],
]);

describe('coverage', () => {
  test('counts all lines where the build began with nothing, and names those that no test reaches', () => {
    expect(changedCoverage(SPANS, null)).toEqual({
      coverage: 40,
      coverageOf: 'all',
      uncovered: ['src/a.js:2-5', 'src/gone.js:1'],
    });
  });

  test('counts what touches a changed line where it began with something', () => {
    const changed = new Map([
      [
        'src/a.js',
        [
          [1, 1],
          [3, 3],
        ] as const,
      ],
      ['README.md', [[1, 9]] as const],
    ]);
    expect(changedCoverage(SPANS, changed)).toEqual({
      coverage: 50,
      coverageOf: 'changed',
      uncovered: ['src/a.js:2-4'],
    });
  });

  test('is 100 where nothing that changed is code, and 0 where a new build has no code at all', () => {
    const nothing = { coverageOf: 'nothing', uncovered: [] };
    expect(changedCoverage(SPANS, new Map([['README.md', [[1, 2]]]]))).toEqual({ coverage: 100, ...nothing });
    expect(changedCoverage(SPANS, new Map([['src/words.js', [[1, 2]]]]))).toEqual({ coverage: 100, ...nothing });
    expect(changedCoverage(new Map(), null)).toEqual({ coverage: 0, ...nothing });
  });

  test('is never rounded up to a minimum, and is 100 only when all is covered', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 3000 }), (hits) => {
        const spans = hits.map((hit, line): Span => [line, line, hit ? 1 : 0]);
        const exact = (100 * hits.filter(Boolean).length) / hits.length;
        const { coverage } = changedCoverage(new Map([['a', spans]]), null);
        expect(coverage).toBeLessThanOrEqual(exact);
        expect(coverage).toBeGreaterThan(exact - 0.1001);
        expect(coverage === 100).toBe(exact === 100);
      }),
    );
  });
});
