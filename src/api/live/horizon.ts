/**
 * Tells up to which position all rows of the feed are there for good, so that a reader who goes by position misses none.
 *
 * A position is given out while its writer holds the table, and positions only rise. So whoever holds one up to `end`
 * held the table when `end` was read: a list of writers made after that has it, or it has ended. Once nobody of that list
 * is left, whatever there will ever be up to `end` is committed, and every later read sees it.
 */
export type Horizon = Readonly<{
  /**
   * @param end the highest position
   * @param writers a list made after `end` was read
   * @returns up to where rows may be read from now on; null while that is not known at all
   */
  look(end: number, writers: readonly string[]): number | null;
}>;

export function createHorizon(): Horizon {
  let settled: number | null = null;
  let waiting: Readonly<{ end: number; writers: readonly string[] }> | null = null;
  return {
    look: (end, writers) => {
      const present = new Set(writers);
      if (waiting && !waiting.writers.some((writer) => present.has(writer))) {
        settled = waiting.end;
        waiting = null;
      }
      if (present.size === 0) settled = end;
      else waiting ??= { end, writers };
      return settled;
    },
  };
}
