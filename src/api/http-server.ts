import { randomUUID } from 'node:crypto';
import { createServer, maxHeaderSize, type RequestListener, type Server, type ServerResponse } from 'node:http';
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

/** Makes the HTTP server of the API, with bounds on what arrives slowly or is no call at all. */
export function createHttpServer(app: RequestListener, log: Logger, timeouts: ArrivalTimeouts = TIMEOUTS): Server {
  const server = createServer(
    {
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      connectionsCheckingInterval: timeouts.checkMs,
      // Node's answer has neither a request id nor a problem: see requireHost.
      requireHostHeader: false,
    },
    app,
  );
  // An expectation that is not known may be ignored; Node's refusal has neither a request id nor a problem.
  server.on('checkExpectation', app);
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
