import express, { type Express } from 'express';
import helmet from 'helmet';
import { nothingAt } from './access.ts';
import { createAdmission } from './admission.ts';
import { createCors } from './cors.ts';
import { CONTENT_SECURITY_POLICY } from './docs/style.ts';
import { requireHost } from './http-server.ts';
import { createLoopbackGuard } from './loopback-guard.ts';
import { createMetrics } from './metrics.ts';
import type { ApiDeps } from './ports.ts';
import { createProblemHandler } from './problem.ts';
import { createRequestLog } from './request-log.ts';
import { createRouter } from './router.ts';
import { ROUTES } from './routes.ts';

/**
 * The HTTP API over its parts. Every error is answered as application/problem+json with a code of `ERROR_STATUS`;
 * nothing of the server's inside (stack, path, secret) is in an answer.
 */
export function createApp(parts: Omit<ApiDeps, 'metrics'>): Express {
  const deps = { ...parts, metrics: createMetrics() };
  const { keys = [], corsOrigins = [] } = deps;
  const app = express();
  app.disable('x-powered-by');
  // A state that is polled is small and changes: computing its hash is not worth a 304.
  app.disable('etag');
  app.use(createRequestLog(deps.log), deps.metrics.count);
  app.use(helmet({ contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY } }));
  app.use((req, res, next) => {
    res.set('Cache-Control', 'no-store');
    // Nothing is kept, so nobody can have it already: Express would take a `*` for that, and answer 304.
    delete req.headers['if-none-match'];
    next();
  });
  app.use(requireHost, ...(keys.length === 0 ? [createLoopbackGuard(corsOrigins)] : []), ...createCors(corsOrigins));
  app.use(createRouter(ROUTES, deps, createAdmission(deps)));
  app.use((req) => {
    throw nothingAt(req.path);
  });
  app.use(createProblemHandler());
  return app;
}
