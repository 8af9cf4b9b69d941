import type { IncomingMessage } from 'node:http';

export type ChatMessage = Readonly<{ role: string; content: string }>;

/** A chat request as the answering side sees it; `body` is the whole JSON object that was sent. */
export type ChatRequest = Readonly<{
  model: string;
  messages: readonly ChatMessage[];
  stream: boolean;
  includeUsage: boolean;
  body: Readonly<Record<string, unknown>>;
}>;

/** Becomes an OpenAI-style error reply with this HTTP status; an `answer` function may throw it too. */
export class ChatRefusal extends Error {
  readonly status: number;
  readonly param: string | null;

  constructor(status: number, message: string, param: string | null = null) {
    super(message);
    this.name = 'ChatRefusal';
    this.status = status;
    this.param = param;
  }
}

const BODY_LIMIT_BYTES = 32 * 1024 * 1024;

/** Reads and checks the body of a chat call; what is wrong with it is thrown as a `ChatRefusal`. */
export async function readChatRequest(request: IncomingMessage): Promise<ChatRequest> {
  const body = parseObject(await readBody(request));
  const { model, messages, stream, stream_options: streamOptions } = body;
  if (typeof model !== 'string' || model === '') {
    throw new ChatRefusal(400, '"model" is missing: it must be a non-empty string.', 'model');
  }
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new ChatRefusal(400, '"messages" is missing: it must be a non-empty array.', 'messages');
  }
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    throw new ChatRefusal(400, '"stream" must be true or false.', 'stream');
  }
  return {
    model,
    messages: messages.map(readMessage),
    stream: stream === true,
    includeUsage: isObject(streamOptions) && streamOptions.include_usage === true,
    body,
  };
}

function readMessage(message: unknown, index: number): ChatMessage {
  const at = `messages[${index}]`;
  if (!isObject(message) || typeof message.role !== 'string') {
    throw new ChatRefusal(400, `${at} must be an object with a string "role".`, at);
  }
  return { role: message.role, content: readContent(message.content, `${at}.content`) };
}

function readContent(content: unknown, at: string): string {
  if (typeof content === 'string') return content;
  if (content === null || content === undefined) return '';
  if (!Array.isArray(content)) throw new ChatRefusal(400, `${at} must be a string or an array of text parts.`, at);
  return content
    .map((part: unknown) => {
      if (isObject(part) && typeof part.text === 'string') return part.text;
      throw new ChatRefusal(400, `${at} holds a part that is not text: only text is understood here.`, at);
    })
    .join('');
}

function parseObject(text: string): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ChatRefusal(400, 'The body is not valid JSON.');
  }
  if (!isObject(body)) throw new ChatRefusal(400, 'The body must be a JSON object.');
  return body;
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_LIMIT_BYTES) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      reject(new ChatRefusal(413, `The body is over ${BODY_LIMIT_BYTES} bytes, the most this server reads.`));
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
