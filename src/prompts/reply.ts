import { DEPTH_LIMIT, isJsonObject, type JsonObject } from '../machine/json.ts';

/** More than any honest answer; the time to scan one stays bounded by it. */
const REPLY_LIMIT_CHARS = 2 * 1024 * 1024;
/** Text full of braces is prose or code: looking on would only cost time. */
const TRIES_LIMIT = 100;
const FAULT_LIMIT_CHARS = 200;

export type Reply = { ok: true; value: JsonObject } | { ok: false; fault: string };

type Span = { kind: 'balanced'; end: number; depth: number } | { kind: 'open' };

/**
 * Finds the JSON object in a model's reply: plain, in a fence, or with text around it. The first balanced object that
 * parses is taken, one in a fence before one in the text. `fault` is a sentence that can be shown to the model.
 * An object that never ends is a fault even if a complete one stands inside it: half an answer must not pass for a whole.
 */
export function parseReply(reply: string): Reply {
  if (reply.length > REPLY_LIMIT_CHARS) {
    return refuse(`the answer has ${reply.length} characters; at most ${REPLY_LIMIT_CHARS} are read`);
  }
  const text = reply.replace(/^\s*<think>[\s\S]*?<\/think>/, '');
  // At the start of a line only: a JSON string holds no line breaks, so such a fence never stands inside an answer's own text.
  const fence = /^[ \t]*```(?:json)?\s*(?=\{)/im.exec(text);
  if (!fence) return firstObject(text, 0);
  const fenced = firstObject(text, fence.index + fence[0].length);
  if (fenced.ok || text.indexOf('{') >= fence.index) return fenced;
  const loose = firstObject(text, 0);
  return loose.ok ? loose : fenced;
}

/** Each try starts where the last one ended, so that the whole search reads the text once. */
function firstObject(text: string, from: number): Reply {
  let fault = 'the answer contains no JSON object';
  let start = text.indexOf('{', from);
  for (let tries = 0; start !== -1 && tries < TRIES_LIMIT; tries++) {
    const span = spanOfObject(text, start);
    if (span.kind === 'open') return refuse('the JSON object is cut off: its last brace is missing');
    if (span.depth > DEPTH_LIMIT) {
      return refuse(`the JSON object is nested ${span.depth} deep; at most ${DEPTH_LIMIT} levels are read`);
    }
    const parsed = parseObject(text.slice(start, span.end));
    if (parsed.ok) return parsed;
    fault = parsed.fault;
    start = text.indexOf('{', span.end);
  }
  return refuse(fault);
}

function spanOfObject(text: string, start: number): Span {
  let depth = 0;
  let deepest = 0;
  for (let at = start; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22:
        at = endOfString(text, at);
        break;
      case 0x7b:
      case 0x5b:
        depth++;
        if (depth > deepest) deepest = depth;
        break;
      case 0x7d:
      case 0x5d:
        depth--;
        if (depth === 0) return { kind: 'balanced', end: at + 1, depth: deepest };
        break;
    }
  }
  return { kind: 'open' };
}

/** The index of the quote that closes the string opened at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return quote;
  }
  return text.length;
}

function parseObject(text: string): Reply {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? { ok: true, value } : refuse('the answer is not a JSON object');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refuse(`the answer is not valid JSON: ${reason.slice(0, FAULT_LIMIT_CHARS)}`);
  }
}

function refuse(fault: string): Reply {
  return { ok: false, fault };
}
