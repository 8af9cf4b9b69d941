import { z } from 'zod';
import { writeCursor } from './paging.ts';
import type { RowPlace } from './ports.ts';

/** Where the next page of both lists begins. */
export type HistoryCursor = Readonly<{ events: RowPlace | null; handoffs: RowPlace | null }>;

const place = z
  .tuple([z.int().min(1), z.int().min(0)])
  .transform(([generation, seq]): RowPlace => ({ generation, seq }))
  .nullable();

export const historyCursor = z
  .tuple([place, place])
  .transform(([events, handoffs]): HistoryCursor => ({ events, handoffs }));

const written = (at: RowPlace | null): [number, number] | null => at && [at.generation, at.seq];

export const writeHistoryCursor = ({ events, handoffs }: HistoryCursor): string =>
  writeCursor([written(events), written(handoffs)]);
