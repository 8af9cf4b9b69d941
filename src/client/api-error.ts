import type { ErrorCode } from '../errors.ts';
import type { Fault } from '../machine/json.ts';

/**
 * What the client itself finds: nobody listens (`unreachable`), no answer within the deadline (`no_answer`; a command may
 * still take effect), or an answer that is not the API's (`not_the_api`).
 */
export type ClientErrorCode = 'unreachable' | 'no_answer' | 'not_the_api';

export type ApiErrorFacts = Readonly<{
  code: ErrorCode | ClientErrorCode;
  /** The HTTP status; null when there was no answer. */
  status: number | null;
  faults: readonly Fault[];
  currentState: string | null;
  allowed: readonly string[];
  retryAfterS: number | null;
  /** Finds the call in the server's log. */
  requestId: string | null;
  /** With it a command can be repeated safely; null for calls that change nothing. */
  idempotencyKey: string | null;
}>;

/** A call of the API that did not succeed. The message is a sentence a person can act on. */
export class ApiError extends Error {
  readonly code: ApiErrorFacts['code'];
  readonly facts: ApiErrorFacts;

  constructor(message: string, facts: Partial<ApiErrorFacts> & Pick<ApiErrorFacts, 'code'>, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ApiError';
    this.code = facts.code;
    this.facts = {
      status: null,
      faults: [],
      currentState: null,
      allowed: [],
      retryAfterS: null,
      requestId: null,
      idempotencyKey: null,
      ...facts,
    };
  }
}
