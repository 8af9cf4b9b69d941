const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/**
 * The value that `percent` of the values do not exceed (nearest rank: always one of the values).
 * @throws when there are no values
 */
export function percentile(values: readonly number[], percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * values.length));
  const value = sorted(values)[rank - 1];
  if (value === undefined) throw new Error('no values to take a percentile of');
  return value;
}

/** The middle value; of an even number the mean of the two in the middle. @throws when there are no values */
export function median(values: readonly number[]): number {
  const upper = Math.floor(values.length / 2);
  const [a, b] = sorted(values).slice(Math.max(0, upper - 1 + (values.length % 2)), upper + 1);
  if (a === undefined) throw new Error('no values to take a median of');
  return b === undefined ? a : (a + b) / 2;
}

/** How much y rises with each x by least squares; 0 when all x are the same. */
export function slope(points: readonly Readonly<{ x: number; y: number }>[]): number {
  const mean = (pick: (p: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + pick(point), 0) / Math.max(1, points.length);
  const [meanX, meanY] = [mean((p) => p.x), mean((p) => p.y)];
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const shared = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  return spread === 0 ? 0 : shared / spread;
}

/** Splits a count into rounds as even as can be, the larger first. */
export function rounds(count: number, into: number): number[] {
  return Array.from({ length: into }, (_, index) => Math.floor((count + into - 1 - index) / into));
}
