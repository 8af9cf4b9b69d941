import { AppError } from './errors.ts';

/** Where each provider is reached; what is absent is not configured. Base URLs end before `/chat/completions`. */
export type Providers = Readonly<{
  openai?: Readonly<{ apiKey: string; baseUrl?: string }>;
  anthropic?: Readonly<{ apiKey: string; baseUrl?: string }>;
  local?: Readonly<{ baseUrl: string }>;
  simulated?: Readonly<{ baseUrl: string }>;
}>;

export type ProviderName = keyof Providers;

/** One model at one endpoint. `apiKey` is a placeholder where the endpoint asks for none. */
export type ModelRoute = Readonly<{ provider: ProviderName; model: string; baseUrl: string; apiKey: string }>;

/** What the name `claude` stands for. */
export const CLAUDE_MODEL = 'claude-sonnet-4-5';

/** The name that stands for whatever model the local server has loaded. */
export const LOCAL_MODEL = 'local';

/** The variables that configure a provider: what an error message tells its reader to set or to check. */
export const PROVIDER_VARIABLES = {
  openai: { key: 'OPENAI_API_KEY', baseUrl: 'OPENAI_BASE_URL' },
  anthropic: { key: 'ANTHROPIC_API_KEY', baseUrl: 'ANTHROPIC_BASE_URL' },
  local: { key: null, baseUrl: 'LOCAL_MODEL_BASE_URL' },
  simulated: { key: null, baseUrl: null },
} as const satisfies Record<ProviderName, { key: string | null; baseUrl: string | null }>;

type Endpoint = Readonly<{ baseUrl: string; apiKey: string }>;
type NamedProvider = Exclude<ProviderName, 'simulated'>;

const ENDPOINTS = {
  openai: ({ openai }) => openai && { baseUrl: openai.baseUrl ?? 'https://api.openai.com/v1', apiKey: openai.apiKey },
  anthropic: ({ anthropic }) =>
    anthropic && { baseUrl: anthropic.baseUrl ?? 'https://api.anthropic.com/v1/', apiKey: anthropic.apiKey },
  local: ({ local }) => local && { baseUrl: local.baseUrl, apiKey: 'not-needed' },
} as const satisfies Record<NamedProvider, (providers: Providers) => Endpoint | undefined>;

/** Names that belong to one provider, first match wins; `model` is what its endpoint is asked for. */
const MODEL_ROUTES: readonly Readonly<{
  names: RegExp;
  provider: NamedProvider;
  model: (name: string) => string;
}>[] = [
  { names: /^(gpt-|chatgpt|o[134])/i, provider: 'openai', model: (name) => name },
  { names: /^claude$/i, provider: 'anthropic', model: () => CLAUDE_MODEL },
  { names: /^claude-/i, provider: 'anthropic', model: (name) => name },
  { names: /^local$/i, provider: 'local', model: () => LOCAL_MODEL },
  { names: /^local\/./i, provider: 'local', model: (name) => name.slice('local/'.length) },
];

/**
 * The endpoint that serves a model's name. A name of no known family goes to an OpenAI-compatible endpoint of the user's
 * own (OPENAI_BASE_URL), else to the local server. With nothing but `simulated` configured every name goes there.
 *
 * @throws AppError `model_unavailable`: the name's provider is not configured; the message names the variable to set.
 */
export function routeModel(name: string, providers: Providers): ModelRoute {
  const { openai, anthropic, local, simulated } = providers;
  if (name.trim() === '') throw new AppError('model_unavailable', 'The model name is empty: give one, such as gpt-4.');
  if (simulated && !openai && !anthropic && !local) {
    return { provider: 'simulated', model: name, baseUrl: simulated.baseUrl, apiKey: 'simulated' };
  }
  const known = MODEL_ROUTES.find((route) => route.names.test(name));
  const provider = known?.provider ?? (openai?.baseUrl !== undefined ? 'openai' : 'local');
  const endpoint = ENDPOINTS[provider](providers);
  if (!endpoint) throw unavailable(name, known?.provider, providers);
  return { provider, model: known ? known.model(name) : name, ...endpoint };
}

function unavailable(name: string, provider: NamedProvider | undefined, providers: Providers): AppError {
  const shown = JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
  const configured = Object.keys(providers).join(', ') || 'none';
  const variables = provider && PROVIDER_VARIABLES[provider];
  const rule = variables
    ? `needs the provider ${provider}, which is not configured: set ${variables.key ?? variables.baseUrl}`
    : 'belongs to no known provider: set OPENAI_BASE_URL (with OPENAI_API_KEY) or LOCAL_MODEL_BASE_URL';
  return new AppError(
    'model_unavailable',
    `Model ${shown} ${rule}, or choose a model of a configured provider (configured: ${configured}).`,
  );
}

/** Where no provider is configured, the simulated model plays every role. */
export const isSimulated = (providers: Providers): boolean => Object.keys(providers).length === 0;
