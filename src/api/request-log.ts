import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { type HttpLogger, pinoHttp } from 'pino-http';

/** A caller's own request id is taken when it can stand in a header and a log line as it is. */
const SANE_ID = /^[A-Za-z0-9._:-]{1,100}$/;

/** Of an address as much as shows which call it was. */
const PATH_LIMIT_CHARS = 300;

/** What follows the path may hold what is no business of a log: a key that was put into the address by mistake. */
const pathOf = (url: string): string => url.replace(/\?.*$/s, '?…').slice(0, PATH_LIMIT_CHARS);

/**
 * Gives every request an id, in its answer and in its log lines; the operation and the key's name are added to them
 * when they are known. Headers, bodies and queries are never logged: they hold secrets.
 */
export function createRequestLog(log: Logger): HttpLogger {
  return pinoHttp({
    logger: log,
    genReqId: (req: IncomingMessage, res: ServerResponse): string => {
      const given = req.headers['x-request-id'];
      const id = typeof given === 'string' && SANE_ID.test(given) ? given : randomUUID();
      res.setHeader('X-Request-Id', id);
      return id;
    },
    serializers: {
      req: ({ id, method, url }: { id: unknown; method: unknown; url: string }) => ({ id, method, url: pathOf(url) }),
      res: ({ statusCode }: { statusCode: unknown }) => ({ status: statusCode }),
    },
    customLogLevel: (_req, res) => (res.statusCode >= 500 ? 'warn' : 'debug'),
    // The problem handler has logged the error itself, with its cause.
    customErrorObject: (_req, _res, _error, value: object) => ({ ...value, err: undefined }),
  });
}
