import { OpenAI } from 'openai';
import { LOCAL_MODEL, type ModelRoute } from '../../models.ts';

/** An error's text is quoted in part only; a provider that sends more must not fill the memory. */
const ERROR_BODY_LIMIT_BYTES = 64 * 1024;
const MODEL_LIST_TIMEOUT_MS = 5_000;

/** One client per endpoint, kept: their number is that of the configured providers, and each keeps its connections. */
const clients = new Map<string, OpenAI>();
const loadedModels = new Map<string, string>();

/** The client of a route's endpoint. It neither retries, nor logs, nor takes credentials from the environment. */
export function clientOf({ baseUrl, apiKey }: ModelRoute): OpenAI {
  const id = JSON.stringify([baseUrl, apiKey]);
  const kept = clients.get(id);
  if (kept) return kept;
  const client = new OpenAI({
    baseURL: baseUrl,
    apiKey,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: 'off',
    fetch: fetchWithBoundedErrors,
  });
  clients.set(id, client);
  return client;
}

/**
 * The name to ask a route's endpoint for. `local` is the first model the local server lists, remembered until
 * `forgetLoadedModel`; a server that lists none is asked for "local", which single-model servers accept.
 */
export async function modelNameOf(route: ModelRoute, signal: AbortSignal): Promise<string> {
  if (route.provider !== 'local' || route.model !== LOCAL_MODEL) return route.model;
  const known = loadedModels.get(route.baseUrl);
  if (known !== undefined) return known;
  const listed = await firstListedModel(route, signal);
  if (listed === undefined) return LOCAL_MODEL;
  loadedModels.set(route.baseUrl, listed);
  return listed;
}

/** To be called when the endpoint no longer knows the model: an operator may have loaded another one. */
export function forgetLoadedModel({ baseUrl }: ModelRoute): void {
  loadedModels.delete(baseUrl);
}

/** Never fails: the call that follows meets the same trouble and tells it better. */
async function firstListedModel(route: ModelRoute, signal: AbortSignal): Promise<string | undefined> {
  try {
    const timed = AbortSignal.any([signal, AbortSignal.timeout(MODEL_LIST_TIMEOUT_MS)]);
    const { data } = await clientOf(route).models.list({ signal: timed });
    const id: unknown = data[0]?.id;
    return typeof id === 'string' && id !== '' ? id : undefined;
  } catch {
    return undefined;
  }
}

async function fetchWithBoundedErrors(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (response.ok || response.body === null) return response;
  const { status, headers } = response;
  return new Response(await firstBytes(response.body), { status, headers });
}

/** A body that breaks off is as good as it got: the status says more than the break. */
async function firstBytes(body: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    for await (const piece of body) {
      text += decoder.decode(piece, { stream: true });
      bytes += piece.byteLength;
      if (bytes >= ERROR_BODY_LIMIT_BYTES) break;
    }
  } catch {
    return text;
  }
  return text;
}
