import { OpenAI } from 'openai';
import { LOCAL_MODEL, type ModelRoute } from '../../models.ts';
import { httpFetch } from './http-fetch.ts';

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
    fetch: httpFetch,
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
