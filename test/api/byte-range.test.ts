import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askedRange } from '../../src/api/byte-range.ts';

const content = { bytes: 1000, tag: '"abc"' };
const part = (first: number, last: number) => ({ kind: 'part', range: { first, last } });

describe('a Range header', () => {
  it.each([
    ['bytes=0-0', part(0, 0)],
    ['bytes=0-999', part(0, 999)],
    ['bytes=500-', part(500, 999)],
    ['bytes=-1', part(999, 999)],
    ['bytes=-5000', part(0, 999)],
    ['bytes=990-5000', part(990, 999)],
    ['BYTES=1-2', part(1, 2)],
    ['bytes= 1 - 2', part(1, 2)],
  ])('%s is a part', (range, asked) => expect(askedRange(range, undefined, content)).toEqual(asked));

  it.each(['bytes=1000-', 'bytes=1000-2000', 'bytes=-0'])('%s is one of which nothing is there', (range) => {
    expect(askedRange(range, undefined, content)).toEqual({ kind: 'none' });
  });

  it.each([
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=5-2',
    'bytes=0-1,3-4',
    'lines=0-1',
    'bytes=0x1-2',
    `bytes=${'9'.repeat(40)}-`,
  ])('%s is as good as none', (range) => expect(askedRange(range, undefined, content)).toEqual({ kind: 'whole' }));

  it('is honoured for the very content alone that If-Range names', () => {
    expect(askedRange('bytes=1-2', '"abc"', content)).toEqual(part(1, 2));
    for (const other of ['"abd"', 'W/"abc"', 'abc', 'Sat, 21 Nov 2026 18:00:00 GMT', '']) {
      expect(askedRange('bytes=1-2', other, content)).toEqual({ kind: 'whole' });
    }
  });

  it('never leads beyond the content, whatever it says', () => {
    const header = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
    );
    fc.assert(
      fc.property(header, fc.nat(3000), (range, bytes) => {
        const asked = askedRange(range, undefined, { bytes, tag: '' });
        if (asked.kind !== 'part') return;
        const { first, last } = asked.range;
        expect(first >= 0 && first <= last && last < bytes).toBe(true);
      }),
    );
  });
});
