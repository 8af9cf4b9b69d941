import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '../errors.ts';

/** Who a call is recorded as when no keys are configured. */
export const DEFAULT_ACTOR = 'operator';

/** An actor's name travels in messages, which hold 100 characters of it. */
const ACTOR_LIMIT_CHARS = 100;

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/** Names the caller from its Authorization header. @throws AppError `unauthorized` */
export type Authenticate = (authorization: string | undefined) => string;

/** Keeps only hashes of the secrets. Every key is compared, so that the time taken tells nothing. */
export function createAuthenticate(keys: readonly Readonly<{ name: string; secret: string }>[]): Authenticate {
  if (keys.length === 0) return () => DEFAULT_ACTOR;
  const hashed = keys.map(({ name, secret }) => ({ name: name.slice(0, ACTOR_LIMIT_CHARS), hash: sha256(secret) }));
  return (authorization) => {
    const given = sha256(/^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '');
    const matching = hashed.filter(({ hash }) => timingSafeEqual(hash, given));
    const [key] = matching;
    if (key) return key.name;
    throw new AppError(
      'unauthorized',
      authorization === undefined
        ? 'The Authorization header is missing: send "Authorization: Bearer <key>" with one of the configured API_KEYS.'
        : 'The API key is not known: send "Authorization: Bearer <key>" with one of the configured API_KEYS.',
    );
  };
}
