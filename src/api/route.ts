import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { Caller } from './keys.ts';
import type { ApiDeps } from './ports.ts';

/** What a handler knows of its call, checked by the route's schemas. */
export type Call<P, Q, B> = Readonly<{
  params: P;
  query: Q;
  body: B;
  caller: Caller;
  /** The caller's Idempotency-Key, or one made for this call; commands answer with it, so that it can be repeated. */
  idempotencyKey: string;
}>;

/**
 * One call of the API: all that its routing, checks and description need.
 *
 * `errors` are the codes particular to the call; every call may also end with `unauthorized` (unless `open`),
 * `invalid_body` and `internal`.
 */
export type Route<P = unknown, Q = unknown, B = unknown, R = unknown> = Readonly<{
  method: 'get' | 'post';
  /** In Express's notation: `/api/workflows/:workflow_id/status`. */
  path: string;
  operationId: string;
  summary: string;
  /** What a caller must know beyond the summary, in paragraphs. */
  description?: string;
  /** True for calls that need no API key. */
  open?: boolean;
  params?: z.ZodType<P>;
  query?: z.ZodType<Q>;
  body?: z.ZodType<B>;
  reply: z.ZodType<R>;
  /** The Content-Type of a reply: JSON unless given; of another, the handler gives the text as it is sent. */
  mediaType?: string;
  errors: readonly ErrorCode[];
  /** True for calls that change a build and so honour an Idempotency-Key. */
  changes?: boolean;
  /** True for calls that change nothing though they are a POST, so that a key that may only read may make them. */
  reads?: boolean;
  /** The HTTP status of a reply, 200 unless given; always one of `statuses`. */
  statusOf?: (reply: R) => number;
  /** What each status of a reply says, where there are several. */
  statuses?: Readonly<Record<number, string>>;
  handle: (call: Call<P, Q, B>, deps: ApiDeps) => Promise<R>;
}>;

/** A route whose types only its own schemas and handler know; the router passes one's output to the other. */
export type AnyRoute = Route<never, never, never, never>;

/** Lets TypeScript derive a handler's input and reply from the schemas beside it. */
export function defineRoute<P, Q, B, R>(route: Route<P, Q, B, R>): AnyRoute {
  return route as unknown as AnyRoute;
}
