import type { Fault, JsonObject } from '../../machine/json.ts';
import type { ModelRoute, ProviderName } from '../../models.ts';
import { parseReply } from '../../prompts/reply.ts';
import { type CallModel, type ChatMessage, callModel } from './chat.ts';
import { CallFailed, FAILURE_RETRYABLE, type FailureType, type ModelAnswer, type ModelFailure } from './failure.ts';
import { printable } from './printable.ts';
import { continuation, describeFaults, refusal } from './repair.ts';

/** Checks a parsed answer; the value it gives back is the one that counts. */
export type Check<T> = (value: JsonObject) => { ok: true; value: T } | { ok: false; faults: readonly Fault[] };

/**
 * One call as it is recorded. `repaired`: accepted, but only after an answer that was refused or cut. `failed`: the call
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
  /** How often a refused answer is asked for again, per route. Default 2. */
  maxRepairs?: number;
  temperature?: number | undefined;
  maxTokens?: number | undefined;
  /** For everything together, in milliseconds from now. */
  deadlineMs: number;
  signal: AbortSignal;
  onProgress?: (() => void) | undefined;
  call?: CallModel;
}>;

export type Asked<T> = Readonly<{ value: T; content: string; calls: readonly ModelCall[] }>;

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

async function askRoute<T>(session: Session<T>, route: ModelRoute): Promise<Asked<T>> {
  const { ask, calls } = session;
  const before = calls.length;
  const maxRepairs = ask.maxRepairs ?? DEFAULT_MAX_REPAIRS;
  let messages = ask.messages;
  for (let repairs = 0; ; repairs++) {
    const answer = await callOrContinue(session, route, messages);
    const judged = judge(answer.contents, ask.check);
    if (judged.ok) {
      record(session, route, answer.last, calls.length > before ? 'repaired' : 'ok');
      return { value: judged.value, content: judged.content, calls };
    }
    const faults = describeFaults(judged.faults);
    record(session, route, answer.last, 'failed', `BadAnswer: ${faults}`);
    if (repairs >= maxRepairs) throw badAnswer(route, answer.last, faults, repairs + 1);
    messages = [...ask.messages, ...refusal(answer.contents[0], faults)];
  }
}

/** What one question brought: the answer as it is to be read, most likely reading first. */
type Contents = readonly [string, ...string[]];

/** A truncated answer is continued once: trying afresh would be cut at the same place and be paid twice. */
async function callOrContinue<T>(
  session: Session<T>,
  route: ModelRoute,
  messages: readonly ChatMessage[],
): Promise<{ contents: Contents; last: ModelAnswer }> {
  try {
    const answer = await callOnce(session, route, messages);
    return { contents: [answer.content], last: answer };
  } catch (error) {
    if (!(error instanceof CallFailed) || error.failure.type !== 'OutputTruncated') throw error;
    const { content } = error.answer;
    if (content.trim() === '') throw error;
    const rest = await callOnce(session, route, [...messages, ...continuation(content)]);
    // Some models begin again instead of going on.
    return { contents: [content + rest.content, rest.content], last: rest };
  }
}

/** One call with what is left of the time; a failed one is recorded here, others once their answer is judged. */
async function callOnce<T>(
  session: Session<T>,
  route: ModelRoute,
  messages: readonly ChatMessage[],
): Promise<ModelAnswer> {
  const { temperature, maxTokens, signal, onProgress, call = callModel } = session.ask;
  const deadlineMs = session.endsAt - performance.now();
  try {
    return await call({ route, messages, temperature, maxTokens, deadlineMs, signal, onProgress });
  } catch (error) {
    if (error instanceof CallFailed) {
      record(session, route, error.answer, 'failed', `${error.failure.type}: ${error.failure.message}`);
    }
    throw error;
  }
}

function judge<T>(
  contents: Contents,
  check: Check<T>,
): { ok: true; value: T; content: string } | { ok: false; faults: readonly Fault[] } {
  let faults: readonly Fault[] | undefined;
  for (const content of contents) {
    const reply = parseReply(content);
    const verdict = reply.ok ? check(reply.value) : { ok: false as const, faults: [{ at: '', fault: reply.fault }] };
    if (verdict.ok) return { ok: true, value: verdict.value, content };
    faults ??= verdict.faults;
  }
  return { ok: false, faults: faults ?? [] };
}

function record<T>(
  { calls }: Session<T>,
  { provider }: ModelRoute,
  { model, promptTokens, completionTokens, durationMs }: ModelAnswer,
  outcome: ModelCall['outcome'],
  error?: string,
): void {
  calls.push({
    model,
    provider,
    promptTokens,
    completionTokens,
    durationMs,
    outcome,
    ...(error !== undefined && { error: printable(error, CALL_ERROR_LIMIT_CHARS) }),
  });
}

function badAnswer(route: ModelRoute, answer: ModelAnswer, faults: string, asked: number): CallFailed {
  const message = `${route.provider} model "${route.model}": no usable answer after ${asked} calls; the last one's faults: ${faults}.`;
  return new CallFailed({ type: 'BadAnswer', retryable: FAILURE_RETRYABLE.BadAnswer, message }, answer);
}
