import { createHash } from 'node:crypto';

/** One configured key of the API. Of its secret only the SHA-256 is kept. */
export type ApiKey = Readonly<{
  /** Who its calls are recorded as. */
  name: string;
  secretSha256: Buffer;
  /** The projects it may see and steer; null: all of them. */
  projects: readonly string[] | null;
  /** True for keys that change nothing. */
  readOnly: boolean;
}>;

/** An actor's name travels in messages, which hold 100 characters of it. */
const NAME_LIMIT_CHARS = 100;
const SECRET_LEAST_CHARS = 8;

/** `name:secret` or `name(scope;scope):secret`; a secret may have colons, a name and its scopes none. */
const KEY = /^(?<name>[^:()]+)(?:\((?<scopes>[^()]*)\))?:(?<secret>.*)$/;

export const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/** What is wrong is told by the rule alone: the text holds a secret. */
const FAULTS = {
  form: 'must be name:secret or name(scope;scope):secret, several separated by commas',
  scope: 'must have only these scopes: read-only, project=<id>',
  name: `must have names of 1 to ${NAME_LIMIT_CHARS} characters, each once`,
  secret: `must have secrets of ${SECRET_LEAST_CHARS} visible ASCII characters or more, each once`,
} as const;

function readKey(text: string, faults: Set<string>): ApiKey | null {
  const { name = '', scopes, secret = '' } = KEY.exec(text)?.groups ?? {};
  if (name === '') {
    faults.add(FAULTS.form);
    return null;
  }
  if (name.length > NAME_LIMIT_CHARS) faults.add(FAULTS.name);
  if (secret.length < SECRET_LEAST_CHARS || !/^[\x21-\x7e]+$/.test(secret)) faults.add(FAULTS.secret);
  const given = scopes === undefined ? [] : scopes.split(';').map((scope) => scope.trim());
  if (!given.every((scope) => scope === 'read-only' || /^project=./.test(scope))) faults.add(FAULTS.scope);
  const projects = given.filter((scope) => scope.startsWith('project=')).map((scope) => scope.slice('project='.length));
  return {
    name,
    secretSha256: sha256(secret),
    projects: projects.length > 0 ? projects : null,
    readOnly: given.includes('read-only'),
  };
}

/** Reads the value of API_KEYS. Every fault is listed, none of them with a part of the value. */
export function readApiKeys(text: string): Readonly<{ keys: readonly ApiKey[]; faults: readonly string[] }> {
  const faults = new Set<string>();
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '');
  const keys = pairs.map((pair) => readKey(pair, faults)).filter((key) => key !== null);
  if (new Set(keys.map(({ name }) => name)).size < keys.length) faults.add(FAULTS.name);
  if (new Set(keys.map(({ secretSha256 }) => secretSha256.toString('hex'))).size < keys.length) {
    faults.add(FAULTS.secret);
  }
  return { keys, faults: [...faults] };
}
