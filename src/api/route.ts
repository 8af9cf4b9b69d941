import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { Download } from './download.ts';
import type { Caller } from './keys.ts';
import type { StreamSink } from './live/sink.ts';
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

/** What a stream knows of its call. */
export type StreamCall<P, I> = Pick<Call<P, unknown, unknown>, 'params' | 'caller'> &
  Readonly<{
    /** The id behind which the stream begins: of the Last-Event-ID header, else of the query; null without one. */
    lastEventId: I | null;
  }>;

/**
 * What routing, checks and description need of any call of the API.
 *
 * `errors` are the codes particular to the call. Those that follow from what it takes (a key, a body) and those that any
 * call may end with need not be listed: openapi/problems.ts adds them.
 */
type RouteFacts<P, Q, B, R> = Readonly<{
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
  /** The whole reply; of a stream, the `data` of each of its events. */
  reply: z.ZodType<R>;
  /** The Content-Type of a reply: JSON unless given; of another, the handler gives the text as it is sent. */
  mediaType?: string;
  errors: readonly ErrorCode[];
  /** True for calls that change a build and so honour an Idempotency-Key. */
  changes?: boolean;
  /** True for calls that change nothing though they are a POST, so that a key that may only read may make them. */
  reads?: boolean;
  /** What each status of a reply says, where there are several. */
  statuses?: Readonly<Record<number, string>>;
}>;

/** A call with one answer. */
export type Route<P = unknown, Q = unknown, B = unknown, R = unknown> = RouteFacts<P, Q, B, R> &
  Readonly<{
    kind: 'reply';
    /** The HTTP status of a reply, 200 unless given; always one of `statuses`. */
    statusOf?: (reply: R) => number;
    handle: (call: Call<P, Q, B>, deps: ApiDeps) => Promise<R>;
  }>;

/** A call whose answer goes on: server-sent events. */
export type StreamRoute<P = unknown, I = unknown, R = unknown> = RouteFacts<P, unknown, unknown, R> &
  Readonly<{
    kind: 'stream';
    mediaType: 'text/event-stream';
    /** Reads the id of an event as callers send it back. */
    eventId: z.ZodType<I>;
    /** Checks the call, and gives what feeds the stream once it is open; null when nothing will ever come (204). */
    subscribe: (call: StreamCall<P, I>, deps: ApiDeps) => Promise<((sink: StreamSink) => void) | null>;
  }>;

/** A call whose answer is a file, or a range of it. */
export type DownloadRoute<P = unknown> = RouteFacts<P, unknown, unknown, string> &
  Readonly<{
    kind: 'download';
    find: (call: Pick<Call<P, unknown, unknown>, 'params' | 'caller'>, deps: ApiDeps) => Promise<Download>;
  }>;

/** A route whose types only its own schemas and handler know; the router passes one's output to the other. */
export type AnyReplyRoute = Route<never, never, never, never>;
export type AnyStreamRoute = StreamRoute<never, never, never>;
export type AnyDownloadRoute = DownloadRoute<never>;
export type AnyRoute = AnyReplyRoute | AnyStreamRoute | AnyDownloadRoute;

/** Lets TypeScript derive a handler's input and reply from the schemas beside it. */
export function defineRoute<P, Q, B, R>(route: Omit<Route<P, Q, B, R>, 'kind'>): AnyReplyRoute {
  return { ...route, kind: 'reply' } as unknown as AnyReplyRoute;
}

/** The same for a stream. Its id is taken from the query as well: not every client can set a header. */
export function defineStream<P, I, R>(
  route: Omit<StreamRoute<P, I, R>, 'kind' | 'method' | 'query' | 'body' | 'mediaType' | 'changes' | 'reads'>,
): AnyStreamRoute {
  const description = 'The same as the Last-Event-ID header, for clients that cannot set one.';
  const query = z.object({ last_event_id: route.eventId.optional().meta({ description }) });
  const stream = { ...route, kind: 'stream', method: 'get', mediaType: 'text/event-stream', query };
  return stream as unknown as AnyStreamRoute;
}

/** The same for a file. Ranges are its router's business, and so is what they may be refused with. */
export function defineDownload<P>(
  route: Omit<DownloadRoute<P>, 'kind' | 'method' | 'query' | 'body' | 'reply'>,
): AnyDownloadRoute {
  const statuses = { 200: 'The whole.', 206: 'The range that was asked for.' };
  const errors = [...route.errors, 'range_not_satisfiable'];
  const download = { ...route, kind: 'download', method: 'get', reply: z.string(), statuses, errors };
  return download as unknown as AnyDownloadRoute;
}
