import type { Span, TestReport } from './report.ts';

/** Lines that were added or changed, as first and last line, by path of the file. */
export type ChangedLines = ReadonlyMap<string, readonly (readonly [first: number, last: number])[]>;

/**
 * The covered share of what counts: of all lines, or of those changed since the user's source. Where none of those is code
 * (only documentation changed) nothing is left uncovered, and it is 100 %; a project made anew without code has 0 %.
 */
export function changedCoverage(
  spans: ReadonlyMap<string, readonly Span[]>,
  changed: ChangedLines | null,
): Pick<TestReport, 'coverage' | 'coverageOf'> {
  let total = 0;
  let covered = 0;
  for (const [path, ofFile] of spans) {
    const ranges = changed?.get(path) ?? [];
    for (const [first, last, hit] of ofFile) {
      if (changed !== null && !ranges.some(([from, to]) => first <= to && last >= from)) continue;
      total += 1;
      covered += hit;
    }
  }
  if (total === 0) return { coverage: changed === null ? 0 : 100, coverageOf: 'nothing' };
  // Rounded down, so that 79.96 never passes a gate of 80.
  return { coverage: Math.floor((covered * 1000) / total) / 10, coverageOf: changed === null ? 'all' : 'changed' };
}
