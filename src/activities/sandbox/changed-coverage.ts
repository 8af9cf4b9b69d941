import type { Span, TestReport } from './report.ts';

const UNCOVERED_FILES = 20;
const UNCOVERED_RANGES = 12;

/** Lines that were added or changed, as first and last line, by path of the file. */
export type ChangedLines = ReadonlyMap<string, readonly (readonly [first: number, last: number])[]>;

/**
 * The covered share of what counts: of all lines, or of those changed since the user's source. Where none of those is code
 * (only documentation changed) nothing is left uncovered, and it is 100 %; a project made anew without code has 0 %.
 */
export function changedCoverage(
  spans: ReadonlyMap<string, readonly Span[]>,
  changed: ChangedLines | null,
): Pick<TestReport, 'coverage' | 'coverageOf' | 'uncovered'> {
  let total = 0;
  let covered = 0;
  const uncovered: string[] = [];
  for (const [path, ofFile] of spans) {
    const ranges = changed?.get(path) ?? [];
    const counted = ofFile.filter(
      ([first, last]) => changed === null || ranges.some(([from, to]) => first <= to && last >= from),
    );
    const missed = counted.filter(([, , hit]) => hit === 0);
    total += counted.length;
    covered += counted.length - missed.length;
    if (missed.length > 0) uncovered.push(`${path}:${linesText(missed)}`);
  }
  if (total === 0) return { coverage: changed === null ? 0 : 100, coverageOf: 'nothing', uncovered: [] };
  // Rounded down, so that 79.96 never passes a gate of 80.
  const coverage = Math.floor((covered * 1000) / total) / 10;
  return { coverage, coverageOf: changed === null ? 'all' : 'changed', uncovered: uncovered.slice(0, UNCOVERED_FILES) };
}

/** `3-5,9`, with what follows on one another put together; the first few of them. */
function linesText(spans: readonly Span[]): string {
  const ranges: [number, number][] = [];
  for (const [first, last] of [...spans].sort((a, b) => a[0] - b[0])) {
    const before = ranges.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else ranges.push([first, last]);
  }
  const shown = ranges.slice(0, UNCOVERED_RANGES).map(([first, last]) => (first === last ? first : `${first}-${last}`));
  return shown.join(',') + (ranges.length > UNCOVERED_RANGES ? ',…' : '');
}
