import type { ErrorRequestHandler, Request, Response } from 'express';
import { AppError, ERROR_STATUS, type ErrorCode } from '../errors.ts';

/** An error as callers read it (RFC 9457). `type` and `code` are stable; `detail` is for people. */
type Problem = Readonly<{
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  faults?: readonly Readonly<{ at: string; fault: string }>[];
  current_state?: string;
  allowed?: readonly string[];
}>;

/** Codes of which a caller is told nothing but that something went wrong here; the log has the rest. */
const isOurs = (code: ErrorCode): boolean => ERROR_STATUS[code] === 500;

const titleOf = (code: ErrorCode): string => `${code.charAt(0).toUpperCase()}${code.slice(1).replaceAll('_', ' ')}`;

function problemOf(error: AppError): Problem {
  const { faults, currentState, allowed } = error.details;
  const code = isOurs(error.code) ? 'internal' : error.code;
  return {
    type: `urn:q-orchestrator:problem:${code}`,
    title: titleOf(code),
    status: ERROR_STATUS[code],
    detail: isOurs(error.code)
      ? 'Something went wrong in the server. Give the X-Request-Id of this answer to its operator: the log says more.'
      : error.message,
    code,
    ...(faults && faults.length > 0 ? { faults } : {}),
    ...(currentState === undefined ? {} : { current_state: currentState }),
    ...(allowed === undefined ? {} : { allowed }),
  };
}

function sendProblem(res: Response, error: AppError): void {
  const problem = problemOf(error);
  const { retryAfterS } = error.details;
  if (retryAfterS !== undefined) res.set('Retry-After', String(retryAfterS));
  if (error.code === 'unauthorized') res.set('WWW-Authenticate', 'Bearer');
  res.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

/** Errors of Express itself (a path that is no valid URL encoding) carry a status; all else is a fault of ours. */
function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 400) {
    return new AppError(
      'invalid_body',
      'The address is no valid URL encoding: encode "%" as "%25".',
      {},
      { cause: error },
    );
  }
  return new AppError('internal', 'unexpected error', {}, { cause: error });
}

/** Turns whatever a handler threw into a problem; faults of our own are logged with their cause. */
export function createProblemHandler(): ErrorRequestHandler {
  return (thrown: unknown, req: Request, res: Response, next) => {
    const error = toAppError(thrown);
    if (isOurs(error.code)) req.log.error({ err: thrown }, 'request failed');
    else if (error.cause !== undefined) req.log.warn({ code: error.code, err: error.cause }, error.message);
    // An answer that has begun cannot become a problem: Express ends the connection.
    if (res.headersSent) next(thrown);
    else sendProblem(res, error);
  };
}
