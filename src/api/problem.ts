import type { ErrorRequestHandler, Request, Response } from 'express';
import { z } from 'zod';
import { AppError, ERROR_STATUS, type ErrorCode } from '../errors.ts';
import { ERROR_GUIDE, PUBLIC_CODES, publicCode } from './error-guide.ts';

const errorCode = z.enum(PUBLIC_CODES).meta({
  id: 'ErrorCode',
  type: 'string',
  description: 'What is the matter, for programs.',
  oneOf: PUBLIC_CODES.map((code) => {
    const { meaning, remedy } = ERROR_GUIDE[code];
    return { const: code, title: String(ERROR_STATUS[code]), description: `${meaning} ${remedy}` };
  }),
});

/** An error as callers read it (RFC 9457). */
export const problem = z
  .strictObject({
    type: z.string().meta({ description: 'A name of the problem that never changes.', format: 'uri' }),
    title: z.string().meta({ description: 'The code, for people.' }),
    status: z.int().meta({ description: 'The HTTP status.' }),
    detail: z.string().meta({ description: 'The value, the rule and the remedy, in a sentence a person can act on.' }),
    code: errorCode,
    faults: z
      .array(
        z.strictObject({
          at: z.string().meta({ description: 'The place, like `files[3].path`; empty for the whole.' }),
          fault: z.string().meta({ description: 'What is wrong with it.' }),
        }),
      )
      .optional()
      .meta({ description: 'Everything that is wrong with what was sent.' }),
    current_state: z.string().optional().meta({ description: 'Where the build is.' }),
    allowed: z.array(z.string()).optional().meta({ description: 'What is allowed instead, now.' }),
  })
  .meta({ id: 'Problem', description: 'An error (RFC 9457). `code` and `type` are stable, `detail` is for people.' });
type Problem = z.infer<typeof problem>;

export const problemType = (code: ErrorCode): string => `urn:q-orchestrator:problem:${code}`;

/** Codes of which a caller is told nothing but that something went wrong here; the log has the rest. */
const isOurs = (code: ErrorCode): boolean => publicCode(code) === 'internal';

const titleOf = (code: ErrorCode): string => `${code.charAt(0).toUpperCase()}${code.slice(1).replaceAll('_', ' ')}`;

/** What callers read of an error: of one of our own nothing but that there is one. */
export function problemOf(error: AppError): Problem {
  const { faults, currentState, allowed } = error.details;
  const code = publicCode(error.code);
  return {
    type: problemType(code),
    title: titleOf(code),
    status: ERROR_STATUS[code],
    detail: isOurs(error.code)
      ? 'Something went wrong in the server. Give the X-Request-Id of this answer to its operator: the log says more.'
      : error.message,
    code,
    ...(faults && faults.length > 0 ? { faults: [...faults] } : {}),
    ...(currentState === undefined ? {} : { current_state: currentState }),
    ...(allowed === undefined ? {} : { allowed: [...allowed] }),
  };
}

function sendProblem(res: Response, error: AppError): void {
  const told = problemOf(error);
  const { retryAfterS } = error.details;
  if (retryAfterS !== undefined) res.set('Retry-After', String(retryAfterS));
  if (error.code === 'unauthorized') res.set('WWW-Authenticate', 'Bearer');
  // For the figures: see metrics.ts.
  res.locals.problem = told.code;
  res.status(told.status).type('application/problem+json').send(JSON.stringify(told));
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
    else if (error.cause !== undefined) {
      // What a caller did wrong is no operator's business, and a stranger could fill the log with it.
      const level = ERROR_STATUS[error.code] >= 500 ? 'warn' : 'debug';
      req.log[level]({ code: error.code, err: error.cause }, error.message);
    }
    // An answer that has begun cannot become a problem: Express ends the connection.
    if (res.headersSent) next(thrown);
    else sendProblem(res, error);
  };
}
