import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { type ApiKey, readApiKeys } from './api-keys.ts';
import { AppError } from './errors.ts';
import type { Fault } from './machine/json.ts';
import { ROLES, type Role } from './machine/states.ts';
import type { Providers } from './models.ts';
import { LOOPBACK_HOSTS, readOrigins } from './origins.ts';
import {
  RELEASE_SECRETS,
  RELEASE_VARIABLES,
  type ReleaseSettings,
  releaseFaults,
  releaseSettings,
  TOOL_VARIABLES,
} from './release-settings.ts';
import { fileVariable, readSecretFiles } from './secret-files.ts';
import type { SourceRules } from './source-paths.ts';

const SANDBOX_MODES = ['required', 'off'] as const;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const url = (protocols: string) =>
  z.string().refine((value) => URL.canParse(value) && new RegExp(`^(${protocols}):`).test(value), {
    error: `must be a URL that begins with ${protocols.replaceAll('|', ' or ')}`,
  });
const wholeNumber = (min: number, max: number) =>
  z.coerce
    .number({ error: 'must be a whole number' })
    .int('must be a whole number')
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);
const names = z.string().transform((value) =>
  value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== ''),
);

const folders = names.transform((given, context) => {
  if (given.some((folder) => !isAbsolute(folder))) {
    context.addIssue({ code: 'custom', message: 'must be absolute paths of folders, separated by commas' });
  }
  return given;
});

const apiKeys = z.string().transform((text, context) => {
  const { keys, faults } = readApiKeys(text);
  for (const message of faults) context.addIssue({ code: 'custom', message });
  return keys;
});

const origins = z.string().transform((text, context) => {
  const { origins: read, faults } = readOrigins(text);
  for (const message of faults) context.addIssue({ code: 'custom', message });
  return read;
});

/** Every name of the environment that the product reads, with its default. */
const VARIABLES = z.object({
  PORT: wholeNumber(0, 65535).optional(),
  HOST: z.string().default('127.0.0.1'),
  API_KEYS: apiKeys.optional(),
  RATE_LIMIT_PER_S: wholeNumber(1, 1_000_000).default(100),
  CORS_ORIGINS: origins.default([]),
  PUBLIC_URL: url('http|https')
    .transform((text) => text.replace(/\/+$/, ''))
    .optional(),
  DATABASE_URL: url('postgres|postgresql').optional(),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s/]+:\d+$/, 'must be host:port')
    .optional(),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_TASK_QUEUE: z.string().default('builds'),
  TEMPORAL_API_KEY: z.string().optional(),
  TEMPORAL_TLS_CA: z.string().optional(),
  TEMPORAL_TLS_CERT: z.string().optional(),
  TEMPORAL_TLS_KEY: z.string().optional(),
  TEMPORAL_TLS_SERVER_NAME: z.string().optional(),
  TEMPORAL_CLI: z.string().optional(),
  DATA_DIR: z.string().default('.data'),
  ARTIFACTS_DIR: z.string().optional(),
  WORKFLOW_TIMEOUT: wholeNumber(1, 30 * 86_400).default(3600),
  WORKFLOW_MAX_RETRIES: wholeNumber(0, 100).default(3),
  MODEL: z.string().default('gpt-4'),
  ...(Object.fromEntries(ROLES.map((role) => [modelVariable(role), z.string().optional()])) as Record<
    ModelVariable,
    z.ZodOptional<z.ZodString>
  >),
  MODEL_FALLBACKS: names.default([]),
  OPENAI_API_KEY: z.string().optional(),
  OPENAI_BASE_URL: url('http|https').optional(),
  ANTHROPIC_API_KEY: z.string().optional(),
  ANTHROPIC_BASE_URL: url('http|https').optional(),
  LOCAL_MODEL_BASE_URL: url('http|https').optional(),
  SOURCE_PATHS: folders.optional(),
  SOURCE_PRIVATE_ADDRESSES: z.enum(['allowed', 'refused'], { error: 'must be allowed or refused' }).optional(),
  ...RELEASE_VARIABLES,
  COVERAGE_MIN: z.coerce
    .number({ error: 'must be a number' })
    .min(0, 'must be at least 0')
    .max(100, 'must be at most 100')
    .default(80),
  SANDBOX: z.enum(SANDBOX_MODES, { error: `must be one of ${SANDBOX_MODES.join(', ')}` }).default('required'),
  SANDBOX_DEPENDENCIES: z.string().optional(),
  SANDBOX_OFF_CONFIRMED: z.literal('yes', { error: 'must be "yes", or not be set' }).optional(),
  LOG_LEVEL: z.preprocess(
    (value) => (typeof value === 'string' ? value.toLowerCase() : value),
    z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  ),
});

/** What is given as `<NAME>`, or as `<NAME>_FILE`: the path of a file with the value, so that it stands in no environment. */
const SECRETS = [
  'API_KEYS',
  'DATABASE_URL',
  'TEMPORAL_API_KEY',
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  ...RELEASE_SECRETS,
] as const satisfies readonly (keyof Variables)[];

const CACHE_HOME = 'XDG_CACHE_HOME';

/** Every name that {@link readConfig} looks at. */
export const VARIABLE_NAMES: readonly string[] = [
  ...Object.keys(VARIABLES.shape),
  ...SECRETS.map((name) => fileVariable(name)),
  CACHE_HOME,
  ...TOOL_VARIABLES,
];

type ModelVariable = `MODEL_${Uppercase<Role>}`;
function modelVariable(role: Role): ModelVariable {
  return `MODEL_${role.toUpperCase() as Uppercase<Role>}`;
}

type Variables = z.infer<typeof VARIABLES>;

export type Config = Readonly<{
  /** `fixed` when PORT was given: then a taken port is an error, else the next free one is used. */
  api: Readonly<{
    host: string;
    port: number;
    fixed: boolean;
    keys: readonly ApiKey[];
    /** Calls a second that one key may make. */
    rateLimitPerS: number;
    corsOrigins: readonly string[];
    /** Where people reach the API, without a slash at its end; null where that is the address on which it listens. */
    publicUrl: string | null;
  }>;
  databaseUrl: string | null;
  temporal: Readonly<{
    address: string | null;
    namespace: string;
    taskQueue: string;
    apiKey: string | null;
    tls: Readonly<{ caFile?: string; certFile?: string; keyFile?: string; serverName?: string }> | null;
    cli: string | null;
  }>;
  dataDir: string;
  artifactsDir: string;
  cacheDir: string;
  activeTimeoutMs: number;
  maxSendBacks: number;
  models: Readonly<{ byRole: Readonly<Record<Role, string>>; fallbacks: readonly string[]; providers: Providers }>;
  coverageMin: number;
  sources: SourceRules;
  releases: ReleaseSettings;
  /**
   * How programs of builds are run. `offConfirmed`: without a sandbox, also what a real provider's model or an external role
   * wrote may run on this machine, with all that this user may do.
   */
  sandbox: Readonly<{ mode: 'required' } | { mode: 'off'; offConfirmed: boolean }>;
  /** A folder with packages for the tests of builds, `node_modules` and `python`, that an operator has prepared. */
  dependenciesDir: string | null;
  logLevel: (typeof LOG_LEVELS)[number];
}>;

const optional = <K extends string>(key: K, value: string | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: string };

function providersOf(env: Variables): Providers {
  const openai = env.OPENAI_API_KEY || env.OPENAI_BASE_URL;
  const anthropic = env.ANTHROPIC_API_KEY || env.ANTHROPIC_BASE_URL;
  return {
    ...(openai
      ? { openai: { apiKey: env.OPENAI_API_KEY ?? 'none', ...optional('baseUrl', env.OPENAI_BASE_URL) } }
      : {}),
    ...(anthropic
      ? { anthropic: { apiKey: env.ANTHROPIC_API_KEY ?? 'none', ...optional('baseUrl', env.ANTHROPIC_BASE_URL) } }
      : {}),
    ...(env.LOCAL_MODEL_BASE_URL ? { local: { baseUrl: env.LOCAL_MODEL_BASE_URL } } : {}),
  };
}

function temporalOf(env: Variables): Config['temporal'] {
  const tls = {
    ...optional('caFile', env.TEMPORAL_TLS_CA),
    ...optional('certFile', env.TEMPORAL_TLS_CERT),
    ...optional('keyFile', env.TEMPORAL_TLS_KEY),
    ...optional('serverName', env.TEMPORAL_TLS_SERVER_NAME),
  };
  return {
    address: env.TEMPORAL_ADDRESS ?? null,
    namespace: env.TEMPORAL_NAMESPACE,
    taskQueue: env.TEMPORAL_TASK_QUEUE,
    apiKey: env.TEMPORAL_API_KEY ?? null,
    tls: Object.keys(tls).length > 0 ? tls : null,
    cli: env.TEMPORAL_CLI ?? null,
  };
}

type Crossed = Pick<Variables, 'HOST' | 'TEMPORAL_TLS_CERT' | 'TEMPORAL_TLS_KEY'> &
  Readonly<{
    API_KEYS?: readonly unknown[] | undefined;
    SANDBOX?: string;
    SANDBOX_OFF_CONFIRMED?: string | undefined;
  }> &
  Readonly<Partial<Record<ProviderVariable, string | undefined>>>;

/** With one of these a real provider's model writes the files of builds. */
const PROVIDER_VARIABLES = [
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_BASE_URL',
  'LOCAL_MODEL_BASE_URL',
] as const satisfies readonly (keyof Variables)[];
type ProviderVariable = (typeof PROVIDER_VARIABLES)[number];

function crossFaults(env: Crossed): Fault[] {
  const open = !LOOPBACK_HOSTS.some((name) => name === env.HOST) && (env.API_KEYS ?? []).length === 0;
  const provider = PROVIDER_VARIABLES.find((name) => env[name]);
  const unguarded = env.SANDBOX === 'off' && provider !== undefined && env.SANDBOX_OFF_CONFIRMED !== 'yes';
  const halfTls = (env.TEMPORAL_TLS_CERT === undefined) !== (env.TEMPORAL_TLS_KEY === undefined);
  return [
    ...(open ? [{ at: 'HOST', fault: `"${env.HOST}" is not loopback: set API_KEYS, or HOST=127.0.0.1` }] : []),
    ...(halfTls ? [{ at: 'TEMPORAL_TLS_CERT', fault: 'goes together with TEMPORAL_TLS_KEY: set both or none' }] : []),
    ...(unguarded ? [{ at: 'SANDBOX', fault: unguardedFault(provider) }] : []),
  ];
}

/**
 * Without keys and with servers of its own the product serves one machine, and whoever reaches it may do everything; so
 * sources may come from wherever that person may read. In every other shape the operator says from where.
 */
function sourcesOf(env: Variables, ownPaths: readonly string[]): SourceRules {
  const ofOnePerson = (env.API_KEYS ?? []).length === 0 && env.TEMPORAL_ADDRESS === undefined;
  const addresses = env.SOURCE_PRIVATE_ADDRESSES ?? (ofOnePerson ? 'allowed' : 'refused');
  const paths = env.SOURCE_PATHS ?? (ofOnePerson ? 'any' : []);
  return { paths, ownPaths, privateAddresses: addresses === 'allowed' };
}

const unguardedFault = (provider: ProviderVariable): string =>
  `"off" beside ${provider} lets files that a model writes run on this machine with all that this user may do: leave ` +
  'SANDBOX out, or confirm with SANDBOX_OFF_CONFIRMED=yes';

function toConfig(env: Variables, named: Readonly<Record<string, string>>): Config {
  const dataDir = resolve(env.DATA_DIR);
  const releases = releaseSettings(env, dataDir, named);
  const artifactsDir = env.ARTIFACTS_DIR ? resolve(env.ARTIFACTS_DIR) : join(dataDir, 'artifacts');
  const byRole = Object.fromEntries(ROLES.map((role) => [role, env[modelVariable(role)] ?? env.MODEL]));
  return {
    api: {
      host: env.HOST,
      port: env.PORT ?? 3000,
      fixed: env.PORT !== undefined,
      keys: env.API_KEYS ?? [],
      rateLimitPerS: env.RATE_LIMIT_PER_S,
      corsOrigins: env.CORS_ORIGINS,
      publicUrl: env.PUBLIC_URL ?? null,
    },
    databaseUrl: env.DATABASE_URL ?? null,
    temporal: temporalOf(env),
    dataDir,
    artifactsDir,
    cacheDir: join(named[CACHE_HOME] ?? join(homedir(), '.cache'), 'q-orchestrator'),
    activeTimeoutMs: env.WORKFLOW_TIMEOUT * 1000,
    maxSendBacks: env.WORKFLOW_MAX_RETRIES,
    models: { byRole: byRole as Record<Role, string>, fallbacks: env.MODEL_FALLBACKS, providers: providersOf(env) },
    coverageMin: env.COVERAGE_MIN,
    sources: sourcesOf(env, [dataDir, artifactsDir, releases.releasesDir]),
    releases,
    sandbox:
      env.SANDBOX === 'off' ? { mode: 'off', offConfirmed: env.SANDBOX_OFF_CONFIRMED === 'yes' } : { mode: 'required' },
    dependenciesDir: env.SANDBOX_DEPENDENCIES ? resolve(env.SANDBOX_DEPENDENCIES) : null,
    logLevel: env.LOG_LEVEL,
  };
}

/**
 * Reads the configuration from an environment, and the files that it names; empty values count as not given.
 * @throws AppError `config_invalid`, listing every fault at once; secrets are never repeated
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const named = Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
  const files = readSecretFiles(named, SECRETS);
  const given = { ...named, ...files.values };
  const parsed = VARIABLES.safeParse(given);
  // Beside other faults, that a value was given is all that is known of it.
  const { HOST = '127.0.0.1' } = given;
  const keys = [given.API_KEYS, given[fileVariable('API_KEYS')]].filter((value) => value !== undefined);
  const crossed = parsed.success && files.faults.length === 0 ? parsed.data : { ...given, HOST, API_KEYS: keys };
  const faults: Fault[] = [
    ...files.faults,
    ...(parsed.error?.issues ?? []).map(({ path, message }) => ({ at: String(path[0] ?? ''), fault: message })),
    ...crossFaults(crossed),
    ...releaseFaults(given),
  ];
  if (!parsed.success || faults.length > 0) {
    const listed = faults.map(({ at, fault }) => `  ${at} ${fault}`).join('\n');
    throw new AppError('config_invalid', `The configuration cannot be used:\n${listed}`, { faults });
  }
  return toConfig(parsed.data, named);
}
