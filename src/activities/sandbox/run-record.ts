import type { Observed, Span } from './report.ts';

/** What our Python and vitest runners write: an observation whose spans are JSON. */
type Written = Omit<Observed, 'spans' | 'sealed'> & Readonly<{ spans: Readonly<Record<string, readonly Span[]>> }>;

/** Reads the text of a sealed report. */
export function readRecord(text: string): Observed {
  const { spans, ...written } = JSON.parse(text) as Written;
  return { ...written, spans: new Map(Object.entries(spans)), sealed: true };
}
