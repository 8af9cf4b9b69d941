import { z } from 'zod';
import type { RowPlace } from './ports.ts';

/** Where the next page of both lists begins. */
export type HistoryCursor = Readonly<{ events: RowPlace | null; handoffs: RowPlace | null }>;

const place = z.tuple([z.int().min(1), z.int().min(0)]).nullable();
const content = z.tuple([place, place]);

const placeOf = (read: z.infer<typeof place>): RowPlace | null => read && { generation: read[0], seq: read[1] };
const written = (at: RowPlace | null): [number, number] | null => at && [at.generation, at.seq];

/** Opaque to callers, so that what is in it may change. */
export function writeCursor({ events, handoffs }: HistoryCursor): string {
  return Buffer.from(JSON.stringify([written(events), written(handoffs)]), 'utf8').toString('base64url');
}

/** Null when it is no cursor of this API. */
export function readCursor(text: string): HistoryCursor | null {
  try {
    const read = content.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return read.success ? { events: placeOf(read.data[0]), handoffs: placeOf(read.data[1]) } : null;
  } catch {
    return null;
  }
}
