import type { ModelRoute } from '../../models.ts';
import { classify } from './classify.ts';
import { clientOf, forgetLoadedModel, modelNameOf } from './clients.ts';
import { addChunk, type Draft, newDraft, requireWhole } from './completion.ts';
import { AnswerFault, CallFailed, type ModelAnswer } from './failure.ts';
import type { HttpResponse } from './http-fetch.ts';
import { readEvents, readText } from './sse.ts';
import { type ChatMessage, type ToolSpec, wireMessage } from './tool-call.ts';
import { toolCallsOf } from './tool-deltas.ts';

export type ModelRequest = Readonly<{
  route: ModelRoute;
  messages: readonly ChatMessage[];
  /** What the model may ask for before it answers. */
  tools?: readonly ToolSpec[] | undefined;
  /** False where tools stand in the conversation, but none may be called any more. Default true. */
  mayCall?: boolean | undefined;
  /** Left out for models that only take their own. */
  temperature?: number | undefined;
  /** The most tokens the answer may have; the provider's own limit if absent. */
  maxTokens?: number | undefined;
  /** For the whole call, from now to the answer's last byte, in milliseconds. */
  deadlineMs: number;
  signal: AbortSignal;
  /** Called for every piece that arrives. */
  onProgress?: (() => void) | undefined;
}>;

export type CallModel = (request: ModelRequest) => Promise<ModelAnswer>;

/** The client's own timeout comes after ours, so that ours is the one that is met and named. */
const CLIENT_TIMEOUT_MARGIN_MS = 5_000;
/** Room for one event: a whole answer, escaped, with its envelope. */
const EVENT_LIMIT_CHARS = 8 * 1024 * 1024;
/** What a provider may take, once the answer is whole, to count tokens and to end its stream. */
const LINGER_MS = 1_000;
const TIMER_LIMIT_MS = 2 ** 31 - 1;
const LATE = Symbol('deadline');
const REASONING_MODELS = /^(o[134]|gpt-5)/i;

/**
 * Asks a model once and reads its answer to the end. The connection is closed when this throws.
 *
 * @throws the signal's reason when it aborts; CallFailed for everything else.
 */
export async function callModel(request: ModelRequest): Promise<ModelAnswer> {
  const { route, signal, deadlineMs } = request;
  signal.throwIfAborted();
  const startedAt = performance.now();
  const call = new AbortController();
  const draft = newDraft(route.model);
  const onAbort = () => call.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => call.abort(LATE), timerMs(deadlineMs));
  const answer = () => ({ ...answerOf(draft), durationMs: Math.round(performance.now() - startedAt) });
  try {
    if (deadlineMs <= 0) throw new AnswerFault('DeadlineExceeded', 'no time was left for the call.');
    await converse(request, draft, call);
    const offered = request.tools !== undefined;
    requireWhole(draft, offered);
    return offered && draft.tools.length > 0 ? { ...answer(), toolCalls: toolCallsOf(draft.tools) } : answer();
  } catch (error) {
    call.abort();
    if (signal.aborted) throw signal.reason;
    const late = call.signal.reason === LATE && draft.finish === null;
    const fault = late
      ? new AnswerFault('DeadlineExceeded', `no whole answer within ${seconds(deadlineMs)} s.`)
      : error;
    const failure = classify(fault, route);
    if (failure.type === 'ModelNotFound') forgetLoadedModel(route);
    throw new CallFailed(failure, answer());
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

async function converse(request: ModelRequest, draft: Draft, call: AbortController): Promise<void> {
  const { onProgress } = request;
  const response = await send(request, call.signal);
  const kind = response.headers.get('content-type') ?? '';
  if (/\bhtml\b/i.test(kind)) {
    throw new AnswerFault(
      'NotAnApi',
      'the endpoint answered with a web page; check its base URL and any proxy before it.',
    );
  }
  // Some servers and proxies do not stream and send the completion whole.
  if (/^application\/json\b/i.test(kind)) {
    return addChunk(draft, await readText(response.body, EVENT_LIMIT_CHARS, onProgress), response.headers);
  }
  let linger: NodeJS.Timeout | undefined;
  const onEvent = (data: string) => {
    addChunk(draft, data, response.headers);
    if (draft.finish !== null) linger ??= setTimeout(() => call.abort(LATE), LINGER_MS);
  };
  try {
    await readEvents(response.body, { eventLimitChars: EVENT_LIMIT_CHARS, onChunk: onProgress, onEvent });
  } catch (error) {
    // The model had finished: what broke or did not end was only the stream's tail.
    if (draft.finish === null || request.signal.aborted || !isCut(error)) throw error;
  } finally {
    clearTimeout(linger);
  }
}

async function send(request: ModelRequest, signal: AbortSignal): Promise<HttpResponse> {
  const { route, messages, tools, mayCall = true, temperature, maxTokens, deadlineMs } = request;
  const model = await modelNameOf(route, signal);
  const ownSampling = REASONING_MODELS.test(model);
  const response = await clientOf(route)
    .chat.completions.create(
      {
        model,
        messages: messages.map(wireMessage),
        stream: true,
        stream_options: { include_usage: true },
        ...(tools !== undefined && {
          tools: tools.map((spec) => ({ type: 'function' as const, function: { ...spec } })),
        }),
        ...(tools !== undefined && !mayCall && { tool_choice: 'none' as const }),
        ...(temperature !== undefined && !ownSampling && { temperature }),
        ...(maxTokens !== undefined &&
          (ownSampling ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens })),
      },
      { signal, timeout: timerMs(deadlineMs + CLIENT_TIMEOUT_MARGIN_MS) },
    )
    .asResponse();
  return response as HttpResponse;
}

function answerOf({ content, model, promptTokens, completionTokens }: Draft): Omit<ModelAnswer, 'durationMs'> {
  return { content, model, promptTokens, completionTokens };
}

function isCut(error: unknown): boolean {
  return error instanceof AnswerFault && error.type === 'StreamCut';
}

function timerMs(ms: number): number {
  return Math.min(Math.max(Math.ceil(ms), 1), TIMER_LIMIT_MS);
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
