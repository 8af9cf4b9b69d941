import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ModelRoute } from '../../../src/models.ts';

/** What a test sees of one request the server got. */
export type Received = {
  url: string;
  headers: IncomingHttpHeaders;
  body: { model: string; messages: { role: string; content: string }[]; [key: string]: unknown };
  /** Resolves when the connection's other end is gone before the answer was whole. */
  cut: Promise<void>;
};

export type Handler = (response: ServerResponse, request: Received, index: number) => void | Promise<void>;
export type ModelServer = { baseUrl: string; requests: Received[]; connections: () => number; route: ModelRoute };

/** A provider of the test's own, over real HTTP, gone when the test ends. */
export async function serveModel(handler: Handler): Promise<ModelServer> {
  const requests: Received[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    const received = await receive(request, response);
    requests.push(received);
    await handler(response, received, requests.length - 1);
  });
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const route: ModelRoute = { provider: 'openai', model: 'gpt-4', baseUrl, apiKey: 'sk-secret-of-the-test' };
  return { baseUrl, requests, connections: () => connections, route };
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<Received> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return {
    url: request.url ?? '',
    headers: request.headers,
    body: text === '' ? {} : JSON.parse(text),
    cut: new Promise((resolve) => response.once('close', () => !response.writableEnded && resolve())),
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function startStream(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' });
}

export function event(data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

export function delta(delta: object, finish: string | null = null): string {
  return event({ model: 'gpt-4-0613', choices: [{ index: 0, delta, finish_reason: finish }] });
}

export function usage(promptTokens: number, completionTokens: number): string {
  return event({
    model: 'gpt-4-0613',
    choices: [],
    usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens },
  });
}

/** A whole streamed answer in two pieces. */
export function sendAnswer(response: ServerResponse, content: string, finish = 'stop'): void {
  const half = Math.ceil(content.length / 2);
  startStream(response);
  response.write(delta({ role: 'assistant', content: content.slice(0, half) }));
  response.write(delta({ content: content.slice(half) }));
  response.end(delta({}, finish) + usage(11, 7) + event('[DONE]'));
}
