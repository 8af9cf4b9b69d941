import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatRequest } from './chat-request.ts';

/** What the model says, and how slowly. */
export type ChatAnswer = Readonly<{
  content: string;
  /** Calls of tools that are asked for instead; the simulated model asks for none. */
  toolCalls?: readonly AskedTool[];
  /** Time before the first byte of the reply; 0 by default. */
  delayMs?: number;
  /** Time between two content chunks of a stream; by default all chunks leave in one write. */
  chunkDelayMs?: number;
  /** How many content chunks a stream is cut into at most; 4 by default. */
  maxChunks?: number;
}>;

type AskedTool = Readonly<{ name: string; arguments: string }>;

type Usage = Readonly<{ prompt_tokens: number; completion_tokens: number; total_tokens: number }>;

const DEFAULT_MAX_CHUNKS = 4;
const CHARS_PER_TOKEN = 4;

let replies = 0;

/** Writes the whole reply; rejects as soon as the signal is aborted. */
export async function sendReply(
  response: ServerResponse,
  request: ChatRequest,
  answer: ChatAnswer,
  signal: AbortSignal,
): Promise<void> {
  if (answer.delayMs) await sleep(answer.delayMs, undefined, { signal });
  signal.throwIfAborted();
  if (!request.stream) {
    sendJson(response, 200, completion(request, answer));
    return;
  }
  const events = streamEvents(request, answer);
  if (answer.chunkDelayMs) await trickle(response, events, answer.chunkDelayMs, signal);
  else sendWhole(response, 200, 'text/event-stream; charset=utf-8', events.join(''));
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendWhole(response, status, 'application/json', JSON.stringify(value));
}

// With its length known, head and body leave in one system call and without chunked framing.
function sendWhole(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    'content-type': contentType,
    'cache-control': 'no-cache',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

async function trickle(
  response: ServerResponse,
  events: string[],
  delayMs: number,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  for (const event of events) {
    response.write(event);
    await sleep(delayMs, undefined, { signal });
  }
  response.end();
}

function completion(request: ChatRequest, { content, toolCalls = [] }: ChatAnswer): object {
  const calls = toolCalls.length > 0 ? { tool_calls: toolCalls.map(toolCall) } : {};
  const message = { role: 'assistant', content, refusal: null, ...calls };
  return {
    ...head('chat.completion', request.model),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(toolCalls) }],
    usage: usageOf(request, content),
  };
}

const finishOf = (toolCalls: readonly AskedTool[]): 'stop' | 'tool_calls' =>
  toolCalls.length > 0 ? 'tool_calls' : 'stop';

const toolCall = ({ name, arguments: given }: AskedTool, index: number): object => ({
  id: `call_${replies}_${index}`,
  type: 'function',
  function: { name, arguments: given },
});

/** A call begins with its name; its arguments follow in two pieces. */
function toolDeltas(asked: AskedTool, index: number): object[] {
  const half = Math.ceil(asked.arguments.length / 2);
  const piece = (text: string): object => ({ tool_calls: [{ index, function: { arguments: text } }] });
  const begin = { tool_calls: [{ index, ...toolCall({ ...asked, arguments: '' }, index) }] };
  return [begin, piece(asked.arguments.slice(0, half)), piece(asked.arguments.slice(half))];
}

/** The events in order; the ones that say nothing new (role, end, usage) ride along with a content chunk. */
function streamEvents(
  request: ChatRequest,
  { content, toolCalls = [], maxChunks = DEFAULT_MAX_CHUNKS }: ChatAnswer,
): string[] {
  const common = { ...head('chat.completion.chunk', request.model), ...(request.includeUsage ? { usage: null } : {}) };
  const chunk = (delta: object, finishReason: 'stop' | 'tool_calls' | null) =>
    sse({ ...common, choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }] });
  const events = [
    ...pieces(content, maxChunks).map((piece) => ({ content: piece })),
    ...toolCalls.flatMap(toolDeltas),
  ].map((delta) => chunk(delta, null));
  const usage = request.includeUsage ? sse({ ...common, choices: [], usage: usageOf(request, content) }) : '';
  const first = chunk({ role: 'assistant', content: '' }, null);
  const last = `${chunk({}, finishOf(toolCalls))}${usage}data: [DONE]\n\n`;
  if (events.length === 0) return [first + last];
  return events.map((event, i) => `${i === 0 ? first : ''}${event}${i === events.length - 1 ? last : ''}`);
}

function head(object: string, model: string): object {
  replies += 1;
  return { id: `chatcmpl-${replies}`, object, created: Math.floor(Date.now() / 1000), model };
}

function sse(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function pieces(content: string, count: number): string[] {
  const size = Math.max(1, Math.ceil(content.length / count));
  const cut: string[] = [];
  for (let start = 0; start < content.length; ) {
    const end = start + size;
    // A pair of surrogates stays in one chunk: half of one is not valid text for every reader.
    const next = isHighSurrogate(content.charCodeAt(end - 1)) ? end + 1 : end;
    cut.push(content.slice(start, next));
    start = next;
  }
  return cut;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function usageOf(request: ChatRequest, content: string): Usage {
  const promptChars = request.messages.reduce((sum, message) => sum + message.content.length, 0);
  const promptTokens = Math.ceil(promptChars / CHARS_PER_TOKEN);
  const completionTokens = Math.ceil(content.length / CHARS_PER_TOKEN);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
