import { ApplicationFailure } from '@temporalio/common';
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { type ModelRoute, PROVIDER_VARIABLES } from '../../models.ts';
import { AnswerFault, CallFailed, FAILURE_RETRYABLE, type FailureType, type ModelFailure } from './failure.ts';
import { printable } from './printable.ts';
import { retryAfterMs } from './retry-after.ts';

const QUOTE_LIMIT_CHARS = 200;
const CAUSE_LIMIT_CHARS = 100;

/** Paying is needed, waiting is not: what providers say with 400, 402, 403 and 429. */
const QUOTA_CODES = /insufficient_quota|insufficient_(funds|balance|credit)|billing|credit|spend/i;
const QUOTA_MESSAGES =
  /credit balance|current quota|spend(ing)? limit|billing hard limit|(insufficient|out of) (credit|balance|funds|quota)/i;

/** Codes and types of error bodies, for errors inside a stream, which have no status of their own. First match wins. */
const STATUS_BY_CODE: readonly Readonly<{ code: RegExp; status: number }>[] = [
  { code: /rate_limit/i, status: 429 },
  { code: /authentication|invalid_api_key|permission/i, status: 401 },
  { code: /not_found/i, status: 404 },
  { code: /invalid_request/i, status: 400 },
];

/** First match wins; `code` is tried on the body's code and type. */
const RESPONSES: readonly Readonly<{ status?: readonly number[]; code?: RegExp; type: FailureType }>[] = [
  { code: /^rate_limit/i, type: 'RateLimited' },
  { code: /content_(policy|filter)/i, type: 'ContentRefused' },
  { code: /model_not_found/i, type: 'ModelNotFound' },
  { status: [402], type: 'QuotaExhausted' },
  { status: [429], type: 'RateLimited' },
  { status: [401, 403], type: 'Unauthorized' },
  // Redirects are not followed; an endpoint that sends elsewhere is not the right one.
  { status: [301, 302, 303, 307, 308, 404], type: 'ModelNotFound' },
  { status: [408, 409, 425], type: 'ProviderError' },
];

type ErrorBody = Readonly<{ code: string; type: string; message: string }>;

/**
 * Turns whatever a model call threw into one failure. Cancellation is not its business: callers rethrow the reason of
 * an aborted signal before they ask.
 */
export function classify(error: unknown, route: ModelRoute): ModelFailure {
  if (error instanceof CallFailed) return error.failure;
  if (error instanceof AnswerFault) return failure(error.type, route, error.message);
  if (error instanceof APIConnectionError) return failure('ConnectionFailed', route, describeConnection(error, route));
  if (error instanceof APIError) return classifyResponse(error, route);
  const text = error instanceof Error ? error.message : String(error);
  return failure('Unexpected', route, `the call failed unexpectedly${quote(text, route)}.`);
}

/** What Temporal needs to know: type, whether and when to try again. `details` travel with it (no secrets, few bytes). */
export function toApplicationFailure(failure: ModelFailure, details: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type: failure.type,
    message: failure.message,
    nonRetryable: !failure.retryable,
    details: [details],
    ...(failure.retryAfterMs !== undefined && { nextRetryDelay: failure.retryAfterMs }),
  });
}

/** Why a connection failed: the innermost code (ECONNREFUSED, ENOTFOUND, …), else the innermost message that quotes no address. */
export function causeOf(error: unknown): string {
  let cause = 'unknown cause';
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'string') cause = at.code;
    else if (!at.message.includes('://')) cause = printable(at.message, CAUSE_LIMIT_CHARS);
  }
  return cause;
}

function classifyResponse(error: APIError, route: ModelRoute): ModelFailure {
  const body = bodyOf(error);
  const status = error.status ?? statusOf(body);
  const type = typeOf(status, body);
  const told = error.headers?.get('x-should-retry');
  // A provider's word on retrying counts for everything but an empty account, which waiting never fills.
  const retryable = type !== 'QuotaExhausted' && (told === 'true' || (told !== 'false' && FAILURE_RETRYABLE[type]));
  const waitMs = retryable ? retryAfterMs(error.headers) : undefined;
  const base = failure(type, route, describe(type, status, body.message, route));
  return { ...base, retryable, ...(waitMs !== undefined && { retryAfterMs: waitMs }) };
}

function typeOf(status: number | undefined, body: ErrorBody): FailureType {
  if (isQuota(status, body)) return 'QuotaExhausted';
  const row = RESPONSES.find(
    (candidate) =>
      (candidate.status === undefined || candidate.status.includes(status ?? 0)) &&
      (candidate.code === undefined || candidate.code.test(body.code) || candidate.code.test(body.type)),
  );
  if (row) return row.type;
  return status !== undefined && status < 500 ? 'BadRequest' : 'ProviderError';
}

/** A plain rate limit may name the billing page in its text: only its code is believed, its message is not searched. */
function isQuota(status: number | undefined, { code, type, message }: ErrorBody): boolean {
  if (status !== undefined && ![400, 402, 403, 429].includes(status)) return false;
  return (
    QUOTA_CODES.test(code) || QUOTA_CODES.test(type) || (!/^rate_limit/i.test(code) && QUOTA_MESSAGES.test(message))
  );
}

function bodyOf(error: APIError): ErrorBody {
  const body: unknown = error.error;
  const field = (name: string): string => {
    const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const message = typeof body === 'string' ? body : field('message') || (body === undefined ? error.message : '');
  return {
    code: field('code'),
    type: field('type'),
    message: message.replace(/^\d{3} (status code \(no body\))?/, ''),
  };
}

function statusOf({ code, type }: ErrorBody): number | undefined {
  if (/^[45]\d\d$/.test(code)) return Number(code);
  return STATUS_BY_CODE.find((row) => row.code.test(code) || row.code.test(type))?.status;
}

function describeConnection(error: APIConnectionError, { provider, baseUrl }: ModelRoute): string {
  const variable = PROVIDER_VARIABLES[provider].baseUrl;
  const remedy = variable === null ? '' : `; check ${variable} and the network`;
  const cause = error instanceof APIConnectionTimeoutError ? 'timed out' : causeOf(error);
  // The origin alone: the rest of the address may hold credentials.
  const where = URL.canParse(baseUrl) ? ` from ${new URL(baseUrl).origin}` : '';
  return `no connection or no answer${where} (${cause})${remedy}.`;
}

function describe(type: FailureType, status: number | undefined, said: string, route: ModelRoute): string {
  const { key, baseUrl } = PROVIDER_VARIABLES[route.provider];
  const code = status === undefined ? '' : ` (${status})`;
  const check = [key, baseUrl].filter((name) => name !== null).join(' and ');
  switch (type) {
    case 'Unauthorized':
      // What a provider says here quotes the key.
      return `the provider refused the credentials${code}; check ${check || 'the configuration'}.`;
    case 'QuotaExhausted':
      return `the account's quota or credit is used up${code}; top it up or choose another model${quote(said, route)}.`;
    case 'RateLimited':
      return `the provider limits the rate of calls${code}${quote(said, route)}.`;
    case 'ModelNotFound':
      return `the endpoint has no such model, or is not the right one${code}; check the model's name${baseUrl ? ` and ${baseUrl}` : ''}${quote(said, route)}.`;
    case 'ContentRefused':
      return `the provider's content filter refused the request${code}${quote(said, route)}.`;
    case 'BadRequest':
      return `the provider refused the request${code}${quote(said, route)}.`;
    default:
      return `the provider failed${code}${quote(said, route)}.`;
  }
}

function failure(type: FailureType, route: ModelRoute, text: string): ModelFailure {
  return { type, retryable: FAILURE_RETRYABLE[type], message: `${route.provider} model "${route.model}": ${text}` };
}

/** A provider's own words as `: "…"`; nothing for markup; keys masked before anything is cut. */
function quote(text: string, route: ModelRoute): string {
  if (/^\s*</.test(text)) return '';
  const masked = (route.apiKey.length < 4 ? text : text.replaceAll(route.apiKey, '[key]'))
    .replace(/\b(sk|pk|key)-[\w*-]{4,}/gi, '[key]')
    .replace(/\bBearer\s+\S+/gi, 'Bearer [key]');
  const said = printable(masked, QUOTE_LIMIT_CHARS);
  return said === '' ? '' : `: "${said}"`;
}
