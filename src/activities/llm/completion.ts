import { APIError } from 'openai';
import { AnswerFault } from './failure.ts';
import { printable } from './printable.ts';
import { addToolPieces, type ToolDraft } from './tool-deltas.ts';

/** A megabyte of answer is a fault of the model, not a product. */
const ANSWER_LIMIT_CHARS = 2 * 1024 * 1024;
const REFUSAL_LIMIT_CHARS = 200;
const NAME_LIMIT_CHARS = 100;

/** An answer while it arrives. `finish` is null until the provider says why it ended. */
export type Draft = {
  content: string;
  tools: ToolDraft[];
  toolChars: number;
  refusal: string;
  model: string;
  finish: string | null;
  promptTokens: number;
  completionTokens: number;
  events: number;
};

type Part = Readonly<{ content?: unknown; refusal?: unknown; tool_calls?: unknown }>;

/** What is read of a streamed chunk or of a whole completion; anything may be missing or of another kind. */
type Chunk = Readonly<{
  error?: unknown;
  model?: unknown;
  usage?: { prompt_tokens?: unknown; completion_tokens?: unknown } | null;
  choices?: readonly {
    delta?: Part | null;
    message?: Part | null;
    finish_reason?: unknown;
  }[];
}>;

export function newDraft(model: string): Draft {
  const nothing = { content: '', tools: [], toolChars: 0, refusal: '' };
  return { ...nothing, model, finish: null, promptTokens: 0, completionTokens: 0, events: 0 };
}

/**
 * Adds one event's data to the draft.
 *
 * @throws AnswerFault `NotAnApi`, `AnswerTooLarge`; APIError for an error that the provider reports within its answer.
 */
export function addChunk(draft: Draft, data: string, headers: Headers): void {
  if (data.startsWith('[DONE]')) return;
  const chunk = parseChunk(data);
  if (chunk.error) throw new APIError(undefined, chunk.error, undefined, headers);
  const choice = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
  if (choice === undefined && !chunk.usage && chunk.model === undefined) return;
  draft.events++;
  if (draft.events === 1 && typeof chunk.model === 'string' && chunk.model !== '')
    draft.model = printable(chunk.model, NAME_LIMIT_CHARS);
  draft.promptTokens = count(chunk.usage?.prompt_tokens) ?? draft.promptTokens;
  draft.completionTokens = count(chunk.usage?.completion_tokens) ?? draft.completionTokens;
  const part = choice?.delta ?? choice?.message;
  if (typeof part?.content === 'string') draft.content += part.content;
  if (typeof part?.refusal === 'string') draft.refusal = (draft.refusal + part.refusal).slice(0, REFUSAL_LIMIT_CHARS);
  draft.toolChars += addToolPieces(draft.tools, part?.tool_calls, !choice?.delta);
  if (typeof choice?.finish_reason === 'string') draft.finish = choice.finish_reason;
  if (draft.content.length + draft.toolChars > ANSWER_LIMIT_CHARS) {
    throw new AnswerFault('AnswerTooLarge', `the answer is over ${ANSWER_LIMIT_CHARS} characters.`);
  }
}

/**
 * Accepts a draft whose stream has ended, or says why it is no answer: only "stop" is an end of the model's own choice,
 * and "tool_calls" where it was offered tools. Some servers end with "stop" after a call.
 *
 * @throws AnswerFault
 */
export function requireWhole({ content, tools, refusal, finish, events }: Draft, offeredTools: boolean): void {
  if (refusal !== '')
    throw new AnswerFault(
      'ContentRefused',
      `the model refused to answer: "${printable(refusal, REFUSAL_LIMIT_CHARS)}".`,
    );
  const calls = offeredTools && tools.length > 0;
  if (calls && (finish === 'stop' || finish === 'tool_calls' || finish === 'function_call')) return;
  switch (finish) {
    case 'stop':
      if (content.trim() === '') throw new AnswerFault('EmptyAnswer', 'the model answered with no text.');
      return;
    case 'length':
      throw new AnswerFault('OutputTruncated', 'the answer reached the output limit before its end; ask for less.');
    case 'content_filter':
      throw new AnswerFault('ContentRefused', "the provider's content filter cut the answer.");
    case null:
      if (events === 0) throw new AnswerFault('NotAnApi', 'the endpoint answered without one chat completion event.');
      throw new AnswerFault('StreamCut', 'the stream ended before the answer did.');
    default:
      throw new AnswerFault(
        'UnexpectedEnd',
        `the answer ended with "${printable(finish, NAME_LIMIT_CHARS)}" instead of "stop".`,
      );
  }
}

function parseChunk(data: string): Chunk {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Falls through: not JSON, and JSON that is no object, are the same fault.
  }
  throw new AnswerFault('NotAnApi', 'the endpoint sent an event that is not a JSON object.');
}

function count(tokens: unknown): number | undefined {
  return typeof tokens === 'number' && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : undefined;
}
