import { IDEMPOTENCY_KEY_PATTERN } from '../idempotency-key.ts';
import type { AnyRoute } from '../route.ts';
import type { Header, Parameter, Reference, Schema } from './types.ts';

/** Headers of answers, by their names. */
export const ANSWER_HEADERS = {
  'X-Request-Id': {
    description: "Finds the call in the server's log: the caller's own X-Request-Id, or a new one.",
    required: true,
    schema: { type: 'string' },
  },
  'Idempotency-Key': {
    description: 'The key of the call, or one that was made for it: the call can be repeated with it safely.',
    required: true,
    schema: { type: 'string' },
  },
  'Retry-After': { description: 'Seconds to wait before the call is repeated.', schema: { type: 'string' } },
  RateLimit: {
    description: 'Where keys are configured: calls that are left in this second (`r`) and seconds to the next (`t`).',
    schema: { type: 'string' },
  },
  'RateLimit-Policy': {
    description: 'Where keys are configured: calls that a key may make (`q`) in so many seconds (`w`).',
    schema: { type: 'string' },
  },
  ETag: {
    description: 'The sha256 of the whole content, in quotes: a beginning that has another is of another content.',
    required: true,
    schema: { type: 'string' },
  },
  'Accept-Ranges': {
    description: 'Ranges may be asked for.',
    required: true,
    schema: { type: 'string', const: 'bytes' },
  },
  'Content-Disposition': {
    description: 'That it is saved, and under which name.',
    required: true,
    schema: { type: 'string' },
  },
  'Content-Range': {
    description: 'Of a range which bytes of how many; where nothing of it is there, how many there are.',
    schema: { type: 'string' },
  },
  'WWW-Authenticate': { description: 'The scheme of API keys.', schema: { type: 'string', const: 'Bearer' } },
} as const satisfies Record<string, Header>;

/** Headers that callers may send, by the names of their components. */
export const CALL_HEADERS = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description:
      'Names this command, so that it takes effect once, however often it is sent: 1 to 200 visible ASCII characters. The key of another caller is another key. Without one the server makes a key and answers with it.',
    schema: { type: 'string', pattern: IDEMPOTENCY_KEY_PATTERN },
  },
} as const satisfies Record<string, Parameter>;

/** What calls for a file may send. */
export const RANGE_HEADERS = [
  {
    name: 'Range',
    in: 'header',
    required: false,
    description: 'Which bytes are wanted: `bytes=0-1023`, `bytes=1024-` or, of the end, `bytes=-1024`.',
    schema: { type: 'string', pattern: '^bytes=(\\d{1,15}-(\\d{1,15})?|-\\d{1,15})$' },
  },
  {
    name: 'If-Range',
    in: 'header',
    required: false,
    description: 'The `ETag` of a beginning: of another content the whole is sent.',
    schema: { type: 'string', pattern: '^"[0-9a-f]+"$' },
  },
] as const satisfies readonly Parameter[];

/** Sent by browsers by themselves when a stream was cut. */
export const lastEventId = (schema: Schema): Parameter => ({
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'The id of the last event that arrived: the stream goes on behind it.',
  schema,
});

/** Headers that a reply may have beside its request id. */
export const replyHeaders = ({
  kind,
  open,
  changes,
}: Pick<AnyRoute, 'kind' | 'open' | 'changes'>): Record<string, Reference> =>
  answerHeaders([
    'X-Request-Id',
    ...(kind === 'download' ? (['ETag', 'Accept-Ranges', 'Content-Disposition', 'Content-Range'] as const) : []),
    ...(changes ? (['Idempotency-Key'] as const) : []),
    ...(open ? [] : (['RateLimit', 'RateLimit-Policy'] as const)),
  ]);

export const answerHeaders = (names: readonly (keyof typeof ANSWER_HEADERS)[]): Record<string, Reference> =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

export const callHeader = (name: keyof typeof CALL_HEADERS): Reference => ({ $ref: `#/components/parameters/${name}` });
