import express, { type Express } from 'express';
import helmet from 'helmet';
import { AppError } from '../errors.ts';
import { createAuthenticate } from './keys.ts';
import type { ApiDeps } from './ports.ts';
import { createProblemHandler } from './problem.ts';
import { createRequestLog } from './request-log.ts';
import { createRouter } from './router.ts';
import { ROUTES } from './routes.ts';

/**
 * The HTTP API over its parts. Every error is answered as application/problem+json with a code of `ERROR_STATUS`;
 * nothing of the server's inside (stack, path, secret) is in an answer.
 */
export function createApp(deps: ApiDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  // A state that is polled is small and changes: computing its hash is not worth a 304.
  app.disable('etag');
  app.use(createRequestLog(deps.log));
  app.use(helmet());
  app.use((_req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  });
  app.use(createRouter(ROUTES, deps, createAuthenticate(deps.keys ?? [])));
  app.use((req) => {
    const path = JSON.stringify(req.path.slice(0, 200));
    throw new AppError('not_found', `There is nothing at ${path}; see the list of calls in the documentation.`);
  });
  app.use(createProblemHandler());
  return app;
}
