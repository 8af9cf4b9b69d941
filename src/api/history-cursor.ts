import { z } from 'zod';
import { writeCursor } from './paging.ts';
import type { RowPlace } from './ports.ts';

/** Where the next page of both lists begins. */
export type HistoryCursor = Readonly<{ events: RowPlace | null; handoffs: RowPlace | null }>;

/** What the mirror's columns hold. */
const INT_MAX = 2 ** 31 - 1;

const place = z
  .tuple([z.int().min(1).max(INT_MAX), z.int().min(0).max(INT_MAX)])
  .transform(([generation, seq]): RowPlace => ({ generation, seq }))
  .nullable();

export const historyCursor = z
  .tuple([place, place])
  .transform(([events, handoffs]): HistoryCursor => ({ events, handoffs }));

const written = (at: RowPlace | null): [number, number] | null => at && [at.generation, at.seq];

export const writeHistoryCursor = ({ events, handoffs }: HistoryCursor): string =>
  writeCursor([written(events), written(handoffs)]);
