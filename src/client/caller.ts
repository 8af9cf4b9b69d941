import { randomUUID } from 'node:crypto';
import type { ErrorCode } from '../errors.ts';
import { type Fault, isJsonObject } from '../machine/json.ts';
import { ApiError } from './api-error.ts';
import { openEvents, type ServerEvents, TooLate } from './event-stream.ts';

export type ClientSettings = Readonly<{
  /** Where the API is, for example `http://127.0.0.1:3000`. */
  url: string;
  apiKey?: string | undefined;
  /** How long one call may take, in ms; 15 000 by default, as the API itself waits up to 5 s for a worker. */
  deadlineMs?: number;
}>;

export type CallOptions = Readonly<{ signal?: AbortSignal | undefined }>;
/** `idempotencyKey`: a command repeated with the same one takes effect once; a fresh one by default. */
export type CommandOptions = CallOptions & Readonly<{ idempotencyKey?: string | undefined }>;

export type Caller = Readonly<{
  /** `answers`: HTTP statuses that are an answer too, beside those of success. */
  get<T>(path: string, options?: CallOptions, answers?: readonly number[]): Promise<T>;
  /** A command. */
  post<T>(path: string, body: object, options?: CommandOptions): Promise<T>;
  /** A POST that changes nothing. */
  ask<T>(path: string, options?: CallOptions): Promise<T>;
  /** The bytes of a file, as they come; the deadline is that of its beginning. */
  download(path: string, options?: CallOptions): Promise<AsyncIterable<Uint8Array>>;
  /** A stream of server-sent events behind an id; null when the server says that nothing will come. */
  stream(path: string, lastEventId: string | null, options?: CallOptions): Promise<ServerEvents | null>;
}>;

type Request = Readonly<{
  method: 'GET' | 'POST';
  path: string;
  body?: object;
  /** Its Idempotency-Key; none for what changes nothing. */
  key?: string;
  answers?: readonly number[];
}>;

const DEADLINE_MS = 15_000;

/** Makes the one place where the client speaks HTTP. Nothing is retried here: callers know what may be repeated. */
export function createCaller({ url, apiKey, deadlineMs = DEADLINE_MS }: ClientSettings): Caller {
  const base = url.replace(/\/+$/, '');
  const authorization = apiKey ? { Authorization: `Bearer ${apiKey}` } : {};
  const call = async <T>(request: Request, signal: AbortSignal | undefined): Promise<T> => {
    const deadline = AbortSignal.timeout(deadlineMs);
    const headers = {
      Accept: 'application/json',
      ...(request.body ? { 'Content-Type': 'application/json' } : {}),
      ...(request.key === undefined ? {} : { 'Idempotency-Key': request.key }),
      ...authorization,
    };
    try {
      const response = await fetch(`${base}${request.path}`, {
        method: request.method,
        headers,
        body: request.body ? JSON.stringify(request.body) : null,
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      });
      return readReply<T>(response, await response.text(), request, base);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      if (signal?.aborted) throw signal.reason;
      throw noAnswer(error, deadline.aborted ? deadlineMs : null, request, base);
    }
  };
  return {
    get: (path, options = {}, answers = []) => call({ method: 'GET', path, answers }, options.signal),
    post: (path, body, options = {}) =>
      call({ method: 'POST', path, body, key: options.idempotencyKey ?? randomUUID() }, options.signal),
    ask: (path, options = {}) => call({ method: 'POST', path }, options.signal),
    download: async (path, { signal } = {}) => {
      const request = { method: 'GET', path } as const;
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), deadlineMs);
      try {
        const signals = signal ? [signal, late.signal] : [late.signal];
        const response = await fetch(`${base}${path}`, { headers: authorization, signal: AbortSignal.any(signals) });
        if (response.ok && response.body !== null) return response.body;
        throw refusalOf(response, parse(await response.text()), request, base);
      } catch (error) {
        if (error instanceof ApiError) throw error;
        if (signal?.aborted) throw signal.reason;
        throw noAnswer(error, late.signal.aborted ? deadlineMs : null, request, base);
      } finally {
        clearTimeout(timer);
      }
    },
    stream: async (path, lastEventId, { signal } = {}) => {
      const request = { method: 'GET', path } as const;
      const headers = { ...authorization, ...(lastEventId === null ? {} : { 'Last-Event-ID': lastEventId }) };
      const answer = await openEvents(`${base}${path}`, headers, { signal, deadlineMs }).catch((error: unknown) => {
        if (signal?.aborted) throw signal.reason;
        throw noAnswer(error, error instanceof TooLate ? deadlineMs : null, request, base);
      });
      if (answer.kind === 'refused') throw refusalOf(answer.response, parse(answer.text), request, base);
      return answer.kind === 'events' ? answer.events : null;
    },
  };
}

function noAnswer(cause: unknown, waitedMs: number | null, { key }: Request, base: string): ApiError {
  const facts = { idempotencyKey: key ?? null };
  if (waitedMs === null) {
    const message = `Nothing answers at ${base}: start the product there with "npm start", or give another address.`;
    return new ApiError(message, { code: 'unreachable', ...facts }, { cause });
  }
  const effect = key === undefined ? '' : ' The command may still take effect; repeating it with its key is safe.';
  const message = `${base} gave no answer within ${waitedMs} ms.${effect}`;
  return new ApiError(message, { code: 'no_answer', ...facts }, { cause });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readReply<T>(response: Response, text: string, request: Request, base: string): T {
  const value = parse(text);
  const isAnswer = response.ok || request.answers?.includes(response.status);
  if (isAnswer && isJsonObject(value)) return value as T;
  throw refusalOf(response, value, request, base);
}

/** What an answer says that is none of those that were hoped for. */
function refusalOf(response: Response, value: unknown, { key }: Request, base: string): ApiError {
  const requestId = response.headers.get('X-Request-Id');
  const common = { status: response.status, requestId, idempotencyKey: key ?? null };
  if (!response.ok && isJsonObject(value) && typeof value.code === 'string') {
    const retryAfterS = Number(response.headers.get('Retry-After') ?? Number.NaN);
    return new ApiError(typeof value.detail === 'string' ? value.detail : value.code, {
      ...common,
      code: value.code as ErrorCode,
      faults: Array.isArray(value.faults) ? (value.faults as Fault[]) : [],
      currentState: typeof value.current_state === 'string' ? value.current_state : null,
      allowed: Array.isArray(value.allowed) ? value.allowed.map(String) : [],
      retryAfterS: Number.isFinite(retryAfterS) ? retryAfterS : null,
    });
  }
  const message = `${base} answered ${response.status}, but not as this API does: check the address.`;
  return new ApiError(message, { ...common, code: 'not_the_api' });
}
