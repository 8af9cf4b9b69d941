import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  maxHeaderSize,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { AppError } from '../errors.ts';
import { problemOf } from './problem.ts';

/**
 * How long a call may take to arrive, in ms: its headers, all of it, and how often that is checked. Answers are not
 * meant: an event stream may last for ever.
 */
export type ArrivalTimeouts = Readonly<{ headersMs: number; requestMs: number; checkMs: number }>;

/** A body of the largest size arrives in time over 140 kbit/s. */
const TIMEOUTS: ArrivalTimeouts = { headersMs: 10_000, requestMs: 60_000, checkMs: 5_000 };

/** What Node says of a call that does not get as far as to be one. */
function errorOf(code: unknown): AppError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new AppError('request_timeout', 'The call did not arrive as a whole in time; send it again without pauses.');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const rule = `The address and the headers have more than ${maxHeaderSize} bytes together`;
    return new AppError('headers_too_large', `${rule}; shorten the address, or send fewer headers.`);
  }
  return new AppError('invalid_body', `The call is no valid HTTP/1.1 (${String(code)}); send it with an HTTP client.`);
}

function answerRaw(socket: Socket, error: AppError, id: string): void {
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `X-Request-Id: ${id}`,
    'Cache-Control: no-store',
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  // The other side may never end it.
  socket.destroySoon();
}

/** Answers what is no call, in the form of all errors; Node's own answer has no body. */
function answerNonsense(server: Server, log: Logger): void {
  const answers = new WeakMap<Socket, ServerResponse>();
  server.prependListener('request', ({ socket }, res) => void answers.set(socket, res));
  server.on('clientError', (cause: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    const answer = answers.get(socket);
    // In the middle of another answer (an event stream) these words would be taken for a part of it.
    const isAnswering = answer?.headersSent === true && !answer.writableFinished;
    if (!socket.writable || cause.code === 'ECONNRESET' || isAnswering) {
      socket.destroy();
      return;
    }
    const [error, id] = [errorOf(cause.code), randomUUID()];
    log.debug({ req: { id }, code: error.code, cause: cause.code }, 'no call');
    answerRaw(socket, error, id);
  });
}

/** Answers calls, and tells of those that it leaves to whoever comes next, as Express does. */
export type App = (req: IncomingMessage, res: ServerResponse, leave: (error?: unknown) => void) => void;

/**
 * An address that cannot be read, as `/\a@b#|` or `http://[/`, passes by all that Express has been given. It is handed in once more,
 * written so that it can be read: so it is answered as any address at which there is nothing.
 */
const readingAnyAddress =
  (app: App): RequestListener =>
  (req, res) =>
    app(req, res, (error) => {
      // All else is answered by the app, but for what fails when its answer has begun.
      if (error !== undefined || res.headersSent) {
        req.socket.destroy();
        return;
      }
      req.url = `/${encodeURIComponent(req.url ?? '')}`;
      app(req, res, () => req.socket.destroy());
    });

/** Makes the HTTP server of the API, with bounds on what arrives slowly or is no call at all. */
export function createHttpServer(app: App, log: Logger, timeouts: ArrivalTimeouts = TIMEOUTS): Server {
  const listener = readingAnyAddress(app);
  const server = createServer(
    {
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      connectionsCheckingInterval: timeouts.checkMs,
      // Node's answer has neither a request id nor a problem: see requireHost.
      requireHostHeader: false,
    },
    listener,
  );
  // An expectation that is not known may be ignored; Node's refusal has neither a request id nor a problem.
  server.on('checkExpectation', listener);
  answerNonsense(server, log);
  return server;
}

/** HTTP/1.1 asks for a Host in every call. @throws AppError `invalid_body` */
export const requireHost: RequestHandler = (req, _res, next) => {
  if (req.headers.host === undefined) {
    throw new AppError('invalid_body', 'The Host header is missing; send it, as every HTTP/1.1 client does.');
  }
  next();
};
