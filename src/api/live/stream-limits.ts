import { AppError } from '../../errors.ts';
import type { Caller } from '../keys.ts';

/** Streams of one API at most: each holds a connection and, behind a slow reader, up to a quarter of a megabyte. */
export const STREAM_LIMIT = 2_000;
/** Streams of one API key at most, so that none keeps the others out. Without keys there is one caller. */
export const KEY_STREAM_LIMIT = 1_000;

const RETRY_AFTER_S = 10;

export type StreamLimits = Readonly<{
  /** Counts a stream in. @returns what counts it out @throws AppError `too_many_streams`, `streams_exhausted` */
  admit(caller: Caller): () => void;
}>;

export function createStreamLimits(limits = { all: STREAM_LIMIT, perKey: KEY_STREAM_LIMIT }): StreamLimits {
  const byKey = new Map<string, number>();
  let all = 0;
  return {
    admit: ({ name }) => {
      const own = byKey.get(name) ?? 0;
      if (all >= limits.all) {
        const told = `This server has ${all} streams of events open, which is its limit; connect again later.`;
        throw new AppError('streams_exhausted', told, { retryAfterS: RETRY_AFTER_S });
      }
      if (own >= limits.perKey) {
        const told = `The caller ${JSON.stringify(name)} has ${own} streams of events open, which is the limit; close some.`;
        throw new AppError('too_many_streams', told, { retryAfterS: RETRY_AFTER_S });
      }
      byKey.set(name, own + 1);
      all += 1;
      return () => {
        all -= 1;
        const left = (byKey.get(name) ?? 1) - 1;
        if (left === 0) byKey.delete(name);
        else byKey.set(name, left);
      };
    },
  };
}
