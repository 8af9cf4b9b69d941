import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** What the model client and its callers read of a response; all of it that they read. */
export type HttpResponse = Pick<Response, 'status' | 'ok' | 'headers' | 'json' | 'text'> &
  Readonly<{
    url: string;
    /** To be read once. It fails when the connection breaks; who stops early must abort the request. */
    body: AsyncIterable<Uint8Array>;
  }>;

/** TCP and TLS together; a host that drops packets would else be waited for as long as the kernel does, two minutes. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Unused connections are given up before servers do it (Node and uvicorn after 5 s): a call on one that closes fails. */
const IDLE_TIMEOUT_MS = 4_000;
/** `json` and `text` read no more: lists of models are smaller, and an error's text is quoted in part only. */
const TEXT_LIMIT_BYTES = 1024 * 1024;

const AGENT_OPTIONS = { keepAlive: true, timeout: IDLE_TIMEOUT_MS } as const;
const TRANSPORTS = {
  'http:': { send: requestHttp, agent: new HttpAgent(AGENT_OPTIONS) },
  'https:': { send: requestHttps, agent: new HttpsAgent(AGENT_OPTIONS) },
} as const;

/** Compressed replies were not asked for; proxies send them all the same. */
const DECODERS: Readonly<Record<string, () => Parameters<typeof pipeline>[1] & Readable>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * A `fetch` for the model client on Node's own HTTP, because the built-in one gives up when a first token, or the next one,
 * takes 300 s, which local models do. Nothing but the signal and CONNECT_TIMEOUT_MS ends a request here. An abort closes the
 * socket. Redirects are not followed: the key would travel along. Proxies of the environment are not used.
 */
export async function httpFetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input);
  const response: HttpResponse = responseOf(await send(url, init), url);
  // The client declares all of Response, and reads what HttpResponse has.
  return response as Response;
}

function send(url: URL, { method = 'GET', headers, body, signal }: RequestInit): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const secure = url.protocol === 'https:';
    const transport = TRANSPORTS[secure ? 'https:' : 'http:'];
    const sent = { ...Object.fromEntries(new Headers(headers)), 'accept-encoding': 'identity' };
    // Without a timeout of 0 the agent's, which is for unused sockets, would run on the used ones too.
    const request = transport.send(url, { agent: transport.agent, timeout: 0, method, headers: sent });
    const onAbort = (): void => {
      reject(signal?.reason);
      // Without an error: a socket whose answer has ended is free again, and nobody would listen to it.
      request.destroy();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    request.once('close', () => signal?.removeEventListener('abort', onAbort));
    // Also after the response has begun: what happens then is the body's to tell.
    request.on('error', reject);
    request.once('response', resolve);
    limitConnect(request, secure ? 'secureConnect' : 'connect');
    request.end(body);
  });
}

function limitConnect(request: ClientRequest, connected: 'connect' | 'secureConnect'): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket) return;
    const giveUp = (): void => void request.destroy(new Error('the connection timed out'));
    const timer = setTimeout(giveUp, CONNECT_TIMEOUT_MS);
    socket.once(connected, () => clearTimeout(timer));
    request.once('close', () => clearTimeout(timer));
  });
}

function responseOf(message: IncomingMessage, { href }: URL): HttpResponse {
  const status = message.statusCode ?? 0;
  const { rawHeaders } = message;
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
  const body = decoded(message, headers.get('content-encoding'));
  const text = (): Promise<string> => firstText(body);
  return {
    url: href,
    status,
    ok: status >= 200 && status < 300,
    headers,
    body,
    text,
    json: async () => JSON.parse(await text()),
  };
}

function decoded(message: IncomingMessage, encoding: string | null): AsyncIterable<Uint8Array> {
  const decoder = DECODERS[encoding?.toLowerCase() ?? ''];
  // The reader of the decoder is told of every fault; there is nobody else to tell.
  return decoder ? pipeline(message, decoder(), () => undefined) : message;
}

/** A body that breaks off is as good as it got: the status says more than the break. */
async function firstText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    for await (const piece of body) {
      text += decoder.decode(piece, { stream: true });
      bytes += piece.byteLength;
      if (bytes >= TEXT_LIMIT_BYTES) break;
    }
  } catch {
    return text;
  }
  return text;
}
