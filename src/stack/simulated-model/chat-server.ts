import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError } from '../../errors.ts';
import { type ChatAnswer, sendJson, sendReply } from './chat-reply.ts';
import { ChatRefusal, type ChatRequest, readChatRequest } from './chat-request.ts';

export type { ChatAnswer } from './chat-reply.ts';
export { type ChatMessage, ChatRefusal, type ChatRequest } from './chat-request.ts';

/** The signal is aborted when the client goes away or the server stops. A thrown `ChatRefusal` becomes its HTTP error. */
export type AnswerChat = (request: ChatRequest, signal: AbortSignal) => Promise<ChatAnswer>;

export type ChatServer = Readonly<{
  /** What an OpenAI client takes as its base URL, ending in `/v1`. */
  baseUrl: string;
  port: number;
  /** Cuts every open call and frees the port. Safe to call twice. */
  stop(): Promise<void>;
}>;

type ChatServerOptions = Readonly<{
  answer: AnswerChat;
  /** 0, the default, takes a free port. */
  port?: number;
  /** 127.0.0.1 by default. */
  host?: string;
}>;

// Longer than the pauses between the phases of a build, so that clients keep their connections.
const KEEP_ALIVE_MS = 60_000;

/**
 * Starts an OpenAI-compatible chat server: `POST /v1/chat/completions`, streaming or not, and `GET /v1/models`.
 * @throws AppError `port_taken` when the given port is in use
 */
export async function startChatServer({
  answer,
  port = 0,
  host = '127.0.0.1',
}: ChatServerOptions): Promise<ChatServer> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    void serve(answer, request, response);
  });
  const boundPort = await listen(server, port, host);
  const urlHost = host.includes(':') ? `[${host}]` : host;
  return { baseUrl: `http://${urlHost}:${boundPort}/v1`, port: boundPort, stop: () => stop(server) };
}

async function serve(answer: AnswerChat, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await route(answer, request, response);
  } catch (error) {
    sendFailure(response, error);
  }
}

async function route(answer: AnswerChat, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url?.split('?', 1)[0] ?? '';
  if (path === '/v1/chat/completions') {
    requireMethod(request, 'POST');
    await complete(answer, request, response);
  } else if (path === '/v1/models') {
    requireMethod(request, 'GET');
    sendJson(response, 200, {
      object: 'list',
      data: [{ id: 'simulated', object: 'model', created: 0, owned_by: 'q-orchestrator' }],
    });
  } else {
    throw new ChatRefusal(404, `Unknown path ${path}: there are POST /v1/chat/completions and GET /v1/models.`);
  }
}

function requireMethod(request: IncomingMessage, method: string): void {
  if (request.method !== method) {
    throw new ChatRefusal(405, `${request.method} is not allowed here: use ${method}.`);
  }
}

async function complete(answer: AnswerChat, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  const chat = await readChatRequest(request);
  await sendReply(response, chat, await answer(chat, controller.signal), controller.signal);
}

function sendFailure(response: ServerResponse, error: unknown): void {
  if (response.destroyed) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, param } = error instanceof ChatRefusal ? error : { status: 500, param: null };
  const message = error instanceof Error ? error.message : String(error);
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  // The rest of a body that was not read would be taken for the next request.
  response.setHeader('connection', 'close');
  sendJson(response, status, { error: { message, type, param, code: null } });
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = new AppError(
        'port_taken',
        `Port ${port} of ${host} is in use: give another one, or 0 for a free one.`,
      );
      reject(error.code === 'EADDRINUSE' ? taken : error);
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
