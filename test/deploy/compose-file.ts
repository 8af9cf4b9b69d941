import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const PROJECT_DIR = fileURLToPath(new URL('../../', import.meta.url));

type Healthcheck = Readonly<{ disable: true }> | Readonly<{ test: readonly string[]; timeout: string }>;

export type Service = Readonly<{
  image: string;
  build?: string;
  command?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  depends_on?: Readonly<Record<string, Readonly<{ condition: string }>>>;
  secrets?: readonly string[];
  configs?: readonly Readonly<{ source: string; target: string }>[];
  volumes?: readonly string[];
  networks: readonly string[];
  ports?: readonly string[];
  healthcheck?: Healthcheck;
  restart: string;
  container_name?: string;
  read_only?: boolean;
  cap_drop?: readonly string[];
  security_opt?: readonly string[];
  stop_grace_period?: string;
}>;

export type ComposeFile = Readonly<{
  services: Readonly<Record<string, Service>>;
  networks: Readonly<Record<string, unknown>>;
  volumes: Readonly<Record<string, unknown>>;
  configs: Readonly<Record<string, Readonly<{ file: string }>>>;
  secrets: Readonly<Record<string, Readonly<{ file: string }>>>;
}>;

type Variables = Readonly<Record<string, string>>;

/** Compose's interpolation, as far as the file uses it: `$$`, `${NAME:-default}` and `${NAME:+replacement}`. */
function interpolate(text: string, variables: Variables): string {
  return text.replace(/\$(?:(\$)|\{(\w+):([-+])([^}]*)\})?/g, (whole, dollar, name, kind, word: string) => {
    if (dollar) return '$';
    if (!name) throw new Error(`${whole} of "${text}" is no interpolation that is known here`);
    const value = variables[name] ?? '';
    return kind === '+' ? (value === '' ? '' : word) : value === '' ? word : value;
  });
}

function interpolated(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') return interpolate(value, variables);
  if (Array.isArray(value)) return value.map((one) => interpolated(one, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, interpolated(one, variables)]));
}

/** docker-compose.yml with its anchors merged. @param variables the host's, as its environment or `.env` gives them */
export function readComposeFile(variables: Variables = {}): ComposeFile {
  const text = readFileSync(`${PROJECT_DIR}docker-compose.yml`, 'utf8');
  return interpolated(parse(text, { merge: true }), variables) as ComposeFile;
}

/** @throws Error when the file has no such service */
export function serviceOf({ services }: ComposeFile, name: string): Service {
  const service = services[name];
  if (!service) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}
