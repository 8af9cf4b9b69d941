import { z } from 'zod';
import { isJsonObject } from '../machine/json.ts';
import { isPhase, PHASES, ROLES, readRole, readState, STATES } from '../machine/states.ts';

/** The longest name of anything: project, build, user, model. */
const NAME_LIMIT_CHARS = 200;
/** The longest reason, as the workflow's messages take it. */
const REASON_LIMIT_CHARS = 4000;

const nameFault = `must be a text of 1 to ${NAME_LIMIT_CHARS} characters without control characters`;

/** A name that callers choose. */
export const name = z
  .string({ error: nameFault })
  .refine((text) => text.trim() !== '' && text.length <= NAME_LIMIT_CHARS && !/\p{Cc}/u.test(text), {
    error: nameFault,
  });

const reasonFault = `must be a text of 1 to ${REASON_LIMIT_CHARS} characters`;
export const reason = z
  .string({ error: reasonFault })
  .refine((text) => text.trim() !== '' && text.length <= REASON_LIMIT_CHARS, { error: reasonFault });

/** Reads a name of a fixed list in either case. */
function oneOf<T extends string>(read: (value: unknown) => T | null, names: readonly T[]) {
  const error = `must be one of ${names.join(', ')}`;
  return z.string({ error }).transform((given, context): T => {
    const value = read(given);
    if (value !== null) return value;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

export const role = oneOf(readRole, ROLES);
export const state = oneOf(readState, STATES);
export const phase = oneOf((given) => {
  const found = readState(given);
  return found !== null && isPhase(found) ? found : null;
}, PHASES);
/** A state in which a build can be worked on: all but `complete` and `error`. */
export const openState = oneOf(
  (given) => {
    const found = readState(given);
    return found === 'complete' || found === 'error' ? null : found;
  },
  STATES.filter((found) => found !== 'complete' && found !== 'error'),
);

/** Checked without walking into it: depth and texts are checked for the whole body at once. */
export const jsonObject = z.unknown().refine(isJsonObject, { error: 'must be an object' });

export const requirements = z
  .unknown()
  .refine(
    (given) => (typeof given === 'string' ? given.trim() !== '' : isJsonObject(given) && Object.keys(given).length > 0),
    { error: 'must be an object or a text, and not empty' },
  );
