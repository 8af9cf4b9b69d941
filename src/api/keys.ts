import { timingSafeEqual } from 'node:crypto';
import { type ApiKey, sha256 } from '../api-keys.ts';
import { AppError } from '../errors.ts';

/** Who calls. `name` is the actor in the audit: the key's name, or `operator` where there are no keys. */
export type Caller = Readonly<Pick<ApiKey, 'name' | 'projects' | 'readOnly'>>;

/** Every caller where no keys are configured, and of calls that need none. */
export const ANYBODY: Caller = { name: 'operator', projects: null, readOnly: false };

/** Knows the caller by its Authorization header. @throws AppError `unauthorized` */
export type Authenticate = (authorization: string | undefined) => Caller;

/** Every key is compared, so that the time taken tells nothing. */
export function createAuthenticate(keys: readonly ApiKey[]): Authenticate {
  if (keys.length === 0) return () => ANYBODY;
  return (authorization) => {
    const given = sha256(/^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '');
    const [key] = keys.filter(({ secretSha256 }) => timingSafeEqual(secretSha256, given));
    if (key) return { name: key.name, projects: key.projects, readOnly: key.readOnly };
    throw new AppError(
      'unauthorized',
      authorization === undefined
        ? 'The Authorization header is missing: send "Authorization: Bearer <key>" with one of the configured API_KEYS.'
        : 'The API key is not known: send "Authorization: Bearer <key>" with one of the configured API_KEYS.',
    );
  };
}
