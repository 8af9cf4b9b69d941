import cors from 'cors';
import type { RequestHandler } from 'express';

/** How long a browser may remember the answer to its question before a call. */
const PREFLIGHT_MAX_AGE_S = 600;

/**
 * Lets pages of the given origins call the API and read its answers, problems included. A page proves itself with an
 * API key as any caller does, so cookies play no part. Answers to other origins have no CORS header, which is what
 * makes a browser keep them from the page.
 */
export function createCors(origins: readonly string[]): RequestHandler[] {
  if (origins.length === 0) return [];
  const allow = cors({
    origin: (origin, tell) => tell(null, origin !== undefined && origins.includes(origin) ? origin : false),
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: [
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'If-Range',
      'Last-Event-ID',
      'Range',
      'X-Request-Id',
    ],
    exposedHeaders: [
      'X-Request-Id',
      'Idempotency-Key',
      'Retry-After',
      'RateLimit',
      'RateLimit-Policy',
      'ETag',
      'Content-Range',
      'Content-Disposition',
    ],
    maxAge: PREFLIGHT_MAX_AGE_S,
  });
  // For other origins `cors` says nothing at all, though the answer would be another one for a listed origin.
  const vary: RequestHandler = (_req, res, next) => {
    res.vary('Origin');
    next();
  };
  return [vary, allow];
}
