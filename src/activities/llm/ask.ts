import type { Fault, JsonObject } from '../../machine/json.ts';
import type { ModelRoute, ProviderName } from '../../models.ts';
import { parseReply } from '../../prompts/reply.ts';
import { type CallModel, callModel } from './chat.ts';
import { CallFailed, FAILURE_RETRYABLE, type FailureType, type ModelAnswer, type ModelFailure } from './failure.ts';
import { printable } from './printable.ts';
import { continuation, describeFaults, refusal } from './repair.ts';
import type { ChatMessage } from './tool-call.ts';
import { refusesTools, type Tools } from './tools.ts';

/** Checks a parsed answer; the value it gives back is the one that counts. */
export type Check<T> = (value: JsonObject) => Verdict<T> | Promise<Verdict<T>>;
export type Verdict<T> = { ok: true; value: T } | { ok: false; faults: readonly Fault[] };

/**
 * One call as it is recorded. `ok`: it brought the answer, or asked for tools. `repaired`: accepted, but only after an answer that was refused or cut. `failed`: the call
 * failed or its answer was refused; `error` says why.
 */
export type ModelCall = Readonly<{
  model: string;
  provider: ProviderName;
  promptTokens: number;
  completionTokens: number;
  durationMs: number;
  outcome: 'ok' | 'repaired' | 'failed';
  error?: string;
}>;

export type Ask<T> = Readonly<{
  /** Tried in this order: the model of choice, then MODEL_FALLBACKS. */
  routes: readonly [ModelRoute, ...ModelRoute[]];
  messages: readonly ChatMessage[];
  check: Check<T>;
  /** What the model may ask for before it answers; their bounds are shared with other asks that are given the same. */
  tools?: Tools | undefined;
  /** How often a refused answer is asked for again, per route. Default 2. */
  maxRepairs?: number;
  temperature?: number | undefined;
  maxTokens?: number | undefined;
  /** For everything together, in milliseconds from now. */
  deadlineMs: number;
  signal: AbortSignal;
  onProgress?: (() => void) | undefined;
  /** Told of every call once it is judged, also of those before a failure or an abort. */
  onCall?: ((call: ModelCall) => void) | undefined;
  call?: CallModel;
}>;

export type Asked<T> = Readonly<{
  value: T;
  content: string;
  calls: readonly ModelCall[];
  /** The conversation that led to the answer, with it, so that it can be gone on with. */
  talk: readonly ChatMessage[];
}>;

/** No route gave an answer that passed. `calls` are all that were made, so that they can be recorded. */
export class AskFailed extends Error {
  readonly failure: ModelFailure;
  readonly calls: readonly ModelCall[];

  constructor(failure: ModelFailure, calls: readonly ModelCall[]) {
    super(failure.message);
    this.name = 'AskFailed';
    this.failure = failure;
    this.calls = calls;
  }
}

/** What another provider can make good; anything else would fail there too, or passes by waiting. */
const PASSED_ON: ReadonlySet<FailureType> = new Set(['Unauthorized', 'ModelNotFound', 'QuotaExhausted']);
const DEFAULT_MAX_REPAIRS = 2;
/** The records of all calls travel through Temporal's history. */
const CALL_ERROR_LIMIT_CHARS = 500;

type Session<T> = { ask: Ask<T>; endsAt: number; calls: ModelCall[] };

/**
 * Asks for a JSON object that passes `check`: a refused answer is sent back with its faults, a cut one is continued once,
 * and a route that cannot serve at all gives way to the next.
 *
 * @throws the signal's reason when it aborts; AskFailed with the last route's failure.
 */
export async function askForResult<T>(ask: Ask<T>): Promise<Asked<T>> {
  const session: Session<T> = { ask, endsAt: performance.now() + ask.deadlineMs, calls: [] };
  const last = ask.routes.length - 1;
  for (let index = 0; ; index++) {
    const route = ask.routes[index] ?? ask.routes[0];
    try {
      return await askRoute(session, route);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      const { failure } = error;
      if (index >= last || failure.retryable || !PASSED_ON.has(failure.type))
        throw new AskFailed(failure, session.calls);
    }
  }
}

/** How a route's conversation stands. `talk` keeps the rounds of tool calls; `refused` is the last answer that did not pass. */
type Talk = { talk: readonly ChatMessage[]; refused: readonly ChatMessage[] };

async function askRoute<T>(session: Session<T>, route: ModelRoute): Promise<Asked<T>> {
  const { ask, calls } = session;
  const before = calls.length;
  const maxRepairs = ask.maxRepairs ?? DEFAULT_MAX_REPAIRS;
  const state: Talk = { talk: ask.messages, refused: [] };
  for (let repairs = 0; ; repairs++) {
    const { contents, last } = await answerAfterTools(session, route, state);
    const judged = last.toolCalls === undefined ? await judge(contents, ask.check) : NO_ANSWER;
    if (judged.ok) {
      const flawed = calls.slice(before).some(({ outcome }) => outcome === 'failed');
      record(session, route, last, flawed ? 'repaired' : 'ok');
      const { value, content } = judged;
      return { value, content, calls, talk: [...state.talk, { role: 'assistant', content }] };
    }
    const faults = describeFaults(judged.faults);
    record(session, route, last, 'failed', `BadAnswer: ${faults}`);
    if (repairs >= maxRepairs) throw badAnswer(route, last, faults, repairs + 1);
    state.refused = refusal(contents[0], faults);
  }
}

const NO_ANSWER = {
  ok: false,
  faults: [{ at: '', fault: 'you asked for tools, but no more calls are answered' }],
} as const;

/** Answers the model's calls of tools, while there are rounds left, until it answers itself; each call is recorded. */
async function answerAfterTools<T>(session: Session<T>, route: ModelRoute, state: Talk): Promise<Answered> {
  const { tools } = session.ask;
  for (;;) {
    const messages = [...state.talk, ...state.refused];
    const answered = await callOrContinue(session, route, messages);
    const { last } = answered;
    if (last.toolCalls === undefined || !tools?.isOpen()) return answered;
    record(session, route, last, 'ok');
    const asking: ChatMessage = { role: 'assistant', content: last.content, toolCalls: last.toolCalls };
    state.talk = [...messages, asking, ...(await tools.answer(last.toolCalls))];
    state.refused = [];
  }
}

/** What one question brought: the answer as it is to be read, most likely reading first. */
type Contents = readonly [string, ...string[]];
type Answered = Readonly<{ contents: Contents; last: ModelAnswer }>;

/** A truncated answer is continued once: trying afresh would be cut at the same place and be paid twice. */
async function callOrContinue<T>(
  session: Session<T>,
  route: ModelRoute,
  messages: readonly ChatMessage[],
): Promise<Answered> {
  try {
    const answer = await callWithTools(session, route, messages);
    return { contents: [answer.content], last: answer };
  } catch (error) {
    if (!(error instanceof CallFailed) || error.failure.type !== 'OutputTruncated') throw error;
    const { content } = error.answer;
    if (content.trim() === '') throw error;
    const rest = await callWithTools(session, route, [...messages, ...continuation(content)]);
    // Some models begin again instead of going on.
    return { contents: [content + rest.content, rest.content], last: rest };
  }
}

/** A server that refuses tools is asked once more, without any, which then goes for the rest of the attempt. */
async function callWithTools<T>(
  session: Session<T>,
  route: ModelRoute,
  messages: readonly ChatMessage[],
): Promise<ModelAnswer> {
  const { tools } = session.ask;
  try {
    return await callOnce(session, route, messages);
  } catch (error) {
    const offered = tools?.specsFor(route) !== undefined && !messages.some(({ role }) => role === 'tool');
    if (!offered || !(error instanceof CallFailed) || !refusesTools(error.failure)) throw error;
    tools?.refuse(route);
    return await callOnce(session, route, messages);
  }
}

/** One call with what is left of the time; a failed one is recorded here, others once their answer is judged. */
async function callOnce<T>(
  session: Session<T>,
  route: ModelRoute,
  messages: readonly ChatMessage[],
): Promise<ModelAnswer> {
  const { tools, temperature, maxTokens, signal, onProgress, call = callModel } = session.ask;
  const deadlineMs = session.endsAt - performance.now();
  try {
    const offer = { tools: tools?.specsFor(route), mayCall: tools?.isOpen() };
    return await call({ route, messages, ...offer, temperature, maxTokens, deadlineMs, signal, onProgress });
  } catch (error) {
    if (error instanceof CallFailed) {
      record(session, route, error.answer, 'failed', `${error.failure.type}: ${error.failure.message}`);
    }
    throw error;
  }
}

async function judge<T>(
  contents: Contents,
  check: Check<T>,
): Promise<{ ok: true; value: T; content: string } | { ok: false; faults: readonly Fault[] }> {
  let faults: readonly Fault[] | undefined;
  for (const content of contents) {
    const reply = parseReply(content);
    const verdict = reply.ok
      ? await check(reply.value)
      : { ok: false as const, faults: [{ at: '', fault: reply.fault }] };
    if (verdict.ok) return { ok: true, value: verdict.value, content };
    faults ??= verdict.faults;
  }
  return { ok: false, faults: faults ?? [] };
}

function record<T>(
  { ask, calls }: Session<T>,
  { provider }: ModelRoute,
  { model, promptTokens, completionTokens, durationMs }: ModelAnswer,
  outcome: ModelCall['outcome'],
  error?: string,
): void {
  const call: ModelCall = {
    model,
    provider,
    promptTokens,
    completionTokens,
    durationMs,
    outcome,
    ...(error !== undefined && { error: printable(error, CALL_ERROR_LIMIT_CHARS) }),
  };
  calls.push(call);
  ask.onCall?.(call);
}

function badAnswer(route: ModelRoute, answer: ModelAnswer, faults: string, asked: number): CallFailed {
  const message = `${route.provider} model "${route.model}": no usable answer after ${asked} calls; the last one's faults: ${faults}.`;
  return new CallFailed({ type: 'BadAnswer', retryable: FAILURE_RETRYABLE.BadAnswer, message }, answer);
}
