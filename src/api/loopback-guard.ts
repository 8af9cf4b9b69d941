import type { RequestHandler } from 'express';
import { AppError } from '../errors.ts';
import { isLoopbackUrl } from '../origins.ts';

const shown = (text: string): string => JSON.stringify(text.slice(0, 200));

const refuse = (what: string, remedy: string): AppError =>
  new AppError('loopback_only', `Without API keys only this machine is served, and ${what}; ${remedy}.`);

/**
 * Without keys whoever reaches the server may do everything, and a page of any site that is open on the machine
 * reaches it: by a name that the site lets point to 127.0.0.1 (DNS rebinding), or by a call that a browser makes
 * without asking first. Browsers tell the name in Host, and where the page is from in Origin, so calls are taken only
 * by loopback names, and from no page but those of this machine and of the given origins.
 */
export function createLoopbackGuard(origins: readonly string[]): RequestHandler {
  return (req, _res, next) => {
    const { host = '', origin } = req.headers;
    if (!isLoopbackUrl(`http://${host}`)) {
      throw refuse(`the call names the host ${shown(host)}`, 'call 127.0.0.1 or localhost, or set API_KEYS');
    }
    if (origin !== undefined && !isLoopbackUrl(origin) && !origins.includes(origin)) {
      throw refuse(`the call is from a page of ${shown(origin)}`, 'name its origin in CORS_ORIGINS, or set API_KEYS');
    }
    next();
  };
}
