import type { ServerResponse } from 'node:http';
import type { FailureType } from '../../../src/activities/llm/failure.ts';
import { delta, event, type Handler, sendAnswer, sendJson, startStream } from './model-server.ts';

export const refuse =
  (status: number, error: unknown, headers = {}): Handler =>
  (response) =>
    sendJson(response, status, { error }, headers);
const stream =
  (...parts: string[]): Handler =>
  (response) => {
    startStream(response).end(parts.join(''));
  };
const html =
  (status: number): Handler =>
  (response) => {
    response.writeHead(status, { 'content-type': 'text/html' }).end('<html><b>sk-secret-of-the-test</b></html>');
  };
const text = (response: ServerResponse, type: string, body: string) =>
  response.writeHead(200, { 'content-type': type }).end(body);

export type Row = {
  what: string;
  answer: Handler;
  type: FailureType;
  retryable: boolean;
  retryAfterMs?: number;
  says?: RegExp;
};

const RATE_LIMITED = {
  code: 'rate_limit_exceeded',
  message: 'Slow down: your current quota is 3 a minute',
};
const DATE = { date: 'Sat, 21 Nov 2026 08:00:00 GMT', 'retry-after': 'Sat, 21 Nov 2026 08:00:07 GMT' };

/** What providers do, and the failure that each becomes. */
export const ROWS: Row[] = [
  {
    what: '429 with seconds',
    answer: refuse(429, RATE_LIMITED, { 'retry-after': '7' }),
    type: 'RateLimited',
    retryable: true,
    retryAfterMs: 7000,
    says: /"Slow down/,
  },
  {
    what: '429 with fractions of seconds',
    answer: refuse(429, {}, { 'retry-after': '0.5' }),
    type: 'RateLimited',
    retryable: true,
    retryAfterMs: 500,
  },
  {
    what: '429 with a date',
    answer: refuse(429, RATE_LIMITED, DATE),
    type: 'RateLimited',
    retryable: true,
    retryAfterMs: 7000,
  },
  {
    what: '429 with a date long past',
    answer: refuse(429, {}, { 'retry-after': 'Sat, 21 Nov 2015 08:00:07 GMT' }),
    type: 'RateLimited',
    retryable: true,
  },
  {
    what: '429 with milliseconds before seconds',
    answer: refuse(429, {}, { 'retry-after-ms': '1500', 'retry-after': '9' }),
    type: 'RateLimited',
    retryable: true,
    retryAfterMs: 1500,
  },
  {
    what: '429 that asks for an hour',
    answer: refuse(429, {}, { 'retry-after': '3600' }),
    type: 'RateLimited',
    retryable: true,
    retryAfterMs: 60_000,
  },
  {
    what: '429 that asks for nonsense',
    answer: refuse(429, {}, { 'retry-after': 'soon' }),
    type: 'RateLimited',
    retryable: true,
  },
  {
    what: '429 that asks for no time at all',
    answer: refuse(429, {}, { 'retry-after': '0' }),
    type: 'RateLimited',
    retryable: true,
  },
  {
    what: '429 of a used up quota',
    answer: refuse(
      429,
      { code: 'insufficient_quota', message: 'You exceeded your current quota' },
      { 'retry-after': '1' },
    ),
    type: 'QuotaExhausted',
    retryable: false,
    says: /top it up/,
  },
  {
    what: '429 of a used up quota that says to retry',
    answer: refuse(429, { code: 'insufficient_quota' }, { 'x-should-retry': 'true' }),
    type: 'QuotaExhausted',
    retryable: false,
  },
  {
    what: '429 of a spend limit',
    answer: refuse(429, { type: 'spend_limit_reached' }),
    type: 'QuotaExhausted',
    retryable: false,
  },
  {
    what: '400 of an empty credit balance',
    answer: refuse(400, {
      type: 'invalid_request_error',
      message: 'Your credit balance is too low to access the API.',
    }),
    type: 'QuotaExhausted',
    retryable: false,
  },
  { what: '402', answer: refuse(402, { message: 'pay' }), type: 'QuotaExhausted', retryable: false },
  {
    what: '401',
    answer: refuse(401, { code: 'invalid_api_key', message: 'Incorrect API key: sk-secret-of-the-test' }),
    type: 'Unauthorized',
    retryable: false,
    says: /check OPENAI_API_KEY and OPENAI_BASE_URL/,
  },
  { what: '403', answer: refuse(403, { message: 'country' }), type: 'Unauthorized', retryable: false },
  {
    what: '404',
    answer: refuse(404, { code: 'model_not_found', message: 'no model gpt-4' }),
    type: 'ModelNotFound',
    retryable: false,
    says: /check the model's name and OPENAI_BASE_URL: "no model gpt-4"/,
  },
  { what: '404 as a web page', answer: html(404), type: 'ModelNotFound', retryable: false },
  {
    what: 'a redirect, which would take the key elsewhere',
    answer: refuse(308, {}, { location: '/v2/chat/completions' }),
    type: 'ModelNotFound',
    retryable: false,
    says: /not the right one \(308\); check .*OPENAI_BASE_URL/,
  },
  {
    what: '403 of a model that is not ours',
    answer: refuse(403, { code: 'model_not_found' }),
    type: 'ModelNotFound',
    retryable: false,
  },
  {
    what: '400',
    answer: refuse(400, { message: 'bad\nparameter' }),
    type: 'BadRequest',
    retryable: false,
    says: /\(400\): "bad parameter"/,
  },
  {
    what: '400 that says to retry',
    answer: refuse(400, {}, { 'x-should-retry': 'true', 'retry-after': '2' }),
    type: 'BadRequest',
    retryable: true,
    retryAfterMs: 2000,
  },
  {
    what: '400 of a content policy',
    answer: refuse(400, { code: 'content_policy_violation' }),
    type: 'ContentRefused',
    retryable: false,
  },
  { what: '408', answer: refuse(408, {}), type: 'ProviderError', retryable: true },
  { what: '409', answer: refuse(409, {}), type: 'ProviderError', retryable: true },
  { what: '413', answer: refuse(413, {}), type: 'BadRequest', retryable: false },
  { what: '422', answer: refuse(422, {}), type: 'BadRequest', retryable: false },
  {
    what: '500',
    answer: refuse(500, { message: 'oops' }),
    type: 'ProviderError',
    retryable: true,
    says: /failed \(500\): "oops"/,
  },
  {
    what: '500 as plain text',
    answer: (response) => {
      response.writeHead(500).end('Bearer abc.def broke');
    },
    type: 'ProviderError',
    retryable: true,
    says: /"Bearer \[key\] broke"/,
  },
  { what: '503 as a web page', answer: html(503), type: 'ProviderError', retryable: true, says: /failed \(503\)\.$/ },
  {
    what: '503 with Retry-After',
    answer: refuse(503, {}, { 'retry-after': '3' }),
    type: 'ProviderError',
    retryable: true,
    retryAfterMs: 3000,
  },
  {
    what: '503 that says not to retry',
    answer: refuse(503, {}, { 'x-should-retry': 'false', 'retry-after': '3' }),
    type: 'ProviderError',
    retryable: false,
  },
  { what: '529', answer: refuse(529, { type: 'overloaded_error' }), type: 'ProviderError', retryable: true },
  {
    what: 'an error body that breaks off',
    answer: (response) => {
      response.writeHead(401, { 'content-length': '99' }).write('{', () => response.destroy());
    },
    type: 'Unauthorized',
    retryable: false,
  },
  {
    what: 'a connection reset',
    answer: (response) => {
      response.socket?.resetAndDestroy();
    },
    type: 'ConnectionFailed',
    retryable: true,
    says: /check OPENAI_BASE_URL/,
  },
  {
    what: 'a stream that ends cleanly without a reason',
    answer: stream(delta({ content: '{"a":' })),
    type: 'StreamCut',
    retryable: true,
  },
  {
    what: 'a stream whose connection breaks',
    answer: (response) => {
      startStream(response).write(delta({ content: '{"a":' }), () => response.destroy());
    },
    type: 'StreamCut',
    retryable: true,
    says: /ECONNRESET/,
  },
  { what: 'a web page with 200', answer: html(200), type: 'NotAnApi', retryable: true, says: /web page/ },
  {
    what: 'a web page with 200 that says it is text',
    answer: (response) => {
      text(response, 'text/plain', '<html></html>');
    },
    type: 'NotAnApi',
    retryable: true,
  },
  {
    what: 'other JSON with 200',
    answer: (response) => sendJson(response, 200, { hello: 1 }),
    type: 'NotAnApi',
    retryable: true,
  },
  {
    what: 'JSON that is no object with 200',
    answer: (response) => sendJson(response, 200, 'hello'),
    type: 'NotAnApi',
    retryable: true,
  },
  {
    what: 'an error in JSON with 200',
    answer: (response) => sendJson(response, 200, { error: { code: 'insufficient_quota' } }),
    type: 'QuotaExhausted',
    retryable: false,
  },
  {
    what: 'an empty body with 200',
    answer: (response) => {
      text(response, 'text/event-stream', '');
    },
    type: 'NotAnApi',
    retryable: true,
  },
  {
    what: 'no body at all',
    answer: (response) => {
      response.writeHead(204).end();
    },
    type: 'NotAnApi',
    retryable: true,
  },
  { what: 'an event that is no JSON', answer: stream(event('{oops')), type: 'NotAnApi', retryable: true },
  {
    what: 'a content filter',
    answer: stream(delta({ content: 'x' }), delta({}, 'content_filter')),
    type: 'ContentRefused',
    retryable: false,
  },
  {
    what: 'a refusal',
    answer: stream(delta({ refusal: 'I cannot ' }), delta({ refusal: 'do that' }), delta({}, 'stop')),
    type: 'ContentRefused',
    retryable: false,
    says: /"I cannot do that"/,
  },
  {
    what: 'the output limit',
    answer: stream(delta({ content: 'x' }), delta({}, 'length')),
    type: 'OutputTruncated',
    retryable: false,
  },
  { what: 'a tool call', answer: stream(delta({}, 'tool_calls')), type: 'UnexpectedEnd', retryable: true },
  {
    what: 'an error inside the stream',
    answer: stream(delta({ content: 'x' }), event({ error: { type: 'overloaded_error', message: 'busy' } })),
    type: 'ProviderError',
    retryable: true,
    says: /"busy"/,
  },
  {
    what: 'a text as error inside the stream',
    answer: stream(event({ error: 'boom' })),
    type: 'ProviderError',
    retryable: true,
    says: /"boom"/,
  },
  {
    what: 'a rate limit inside the stream',
    answer: stream(event({ error: { type: 'rate_limit_error' } })),
    type: 'RateLimited',
    retryable: true,
  },
  {
    what: 'a status as code inside the stream',
    answer: stream(event({ error: { code: 401 } })),
    type: 'Unauthorized',
    retryable: false,
  },
  {
    what: 'a bad request inside the stream',
    answer: stream(event({ error: { type: 'invalid_request_error' } })),
    type: 'BadRequest',
    retryable: false,
  },
  { what: 'an empty answer', answer: (response) => sendAnswer(response, ''), type: 'EmptyAnswer', retryable: true },
  {
    what: 'an answer over the limit',
    answer: stream(delta({ content: 'x'.repeat(1_500_000) }), delta({ content: 'x'.repeat(1_500_000) })),
    type: 'AnswerTooLarge',
    retryable: false,
  },
];
