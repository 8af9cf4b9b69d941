import type { RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { AppError } from '../errors.ts';
import type { Caller } from './keys.ts';
import { createWindowStore } from './window-store.ts';

const WINDOW_MS = 1000;
/** Wrong keys from one address in a window. A page that asks with an old key stays under it, a search through keys does not. */
const WRONG_KEYS_PER_WINDOW = 10;

const tooMany = (rule: string): AppError =>
  new AppError('rate_limited', `${rule}; go on after Retry-After.`, { retryAfterS: Math.ceil(WINDOW_MS / 1000) });

/** At most `limit` calls a second with one key, whatever they are and wherever they come from. Each process counts for itself. */
export function createRateLimit(limit: number, now: () => number): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit,
    store: createWindowStore(WINDOW_MS, now),
    keyGenerator: (_req, res) => (res.locals.caller as Caller).name,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: (_req, _res, next) => next(tooMany(`This API key may make ${limit} calls a second (RATE_LIMIT_PER_S)`)),
  });
}

/** Bounds the guessing of keys by address (IPv6: by network). */
export type GuessLimit = Readonly<{
  /** @throws AppError `rate_limited`: then no key of the address is looked at, or a right guess would still be told. */
  requireMore(address: string): void;
  countWrong(address: string): void;
}>;

export function createGuessLimit(now: () => number): GuessLimit {
  const wrong = createWindowStore(WINDOW_MS, now);
  return {
    requireMore: (address) => {
      if ((wrong.get(ipKeyGenerator(address))?.totalHits ?? 0) < WRONG_KEYS_PER_WINDOW) return;
      throw tooMany('Too many unknown API keys came from this address');
    },
    countWrong: (address) => void wrong.increment(ipKeyGenerator(address)),
  };
}
