import type { Request, RequestHandler } from 'express';
import { AppError } from '../errors.ts';
import { ANYBODY, type Caller, createAuthenticate } from './keys.ts';
import type { ApiDeps } from './ports.ts';
import { createGuessLimit, createRateLimit } from './rate-limit.ts';
import type { AnyRoute } from './route.ts';

/** What stands before a route: who calls, how much, and whether they may. None of it reads the body. */
export type Admit = (route: AnyRoute) => RequestHandler[];

const readOnly = ({ name }: Caller): AppError =>
  new AppError('read_only_key', `The API key ${JSON.stringify(name)} may only read; use one that may change builds.`);

function createIdentify({ keys = [], now }: Pick<ApiDeps, 'keys' | 'now'>): (req: Request) => Caller {
  const authenticate = createAuthenticate(keys);
  const guesses = createGuessLimit(now);
  return (req) => {
    const given = req.get('Authorization');
    // A call without a key is no guess.
    if (given === undefined) return authenticate(given);
    const address = req.ip ?? '';
    guesses.requireMore(address);
    try {
      return authenticate(given);
    } catch (error) {
      guesses.countWrong(address);
      throw error;
    }
  };
}

/**
 * Makes what stands before the routes of one server. Calls that need no key (health) are never limited, nor is anyone
 * where there are no keys: then all callers are on this machine.
 */
export function createAdmission(deps: Pick<ApiDeps, 'keys' | 'rateLimitPerS' | 'now'>): Admit {
  const { keys = [], rateLimitPerS, now } = deps;
  const identify = createIdentify(deps);
  const limits = keys.length === 0 || rateLimitPerS === undefined ? [] : [createRateLimit(rateLimitPerS, now)];
  return ({ operationId, open = false, method, reads = false }) => {
    const begin: RequestHandler = (req, res, next) => {
      res.locals.operationId = operationId;
      req.log.setBindings({ operationId });
      const caller = open ? ANYBODY : identify(req);
      res.locals.caller = caller;
      if (!open) req.log.setBindings({ caller: caller.name });
      next();
    };
    const requireRight: RequestHandler = (_req, res, next) => {
      const caller = res.locals.caller as Caller;
      if (caller.readOnly && method !== 'get' && !reads) throw readOnly(caller);
      next();
    };
    return open ? [begin] : [begin, ...limits, requireRight];
  };
}
