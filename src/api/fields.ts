import { z } from 'zod';
import { STATUSES } from '../machine/build.ts';
import { isJsonObject } from '../machine/json.ts';
import { isPhase, PHASES, ROLES, readRole, readState, STATES } from '../machine/states.ts';

/** The longest name of anything: project, build, user, model. */
const NAME_LIMIT_CHARS = 200;
/** The longest reason, as the workflow's messages take it. */
const REASON_LIMIT_CHARS = 4000;

/*
 * Refinements and transforms are code, which no JSON Schema can be derived from. So metadata that names a `type`, an
 * `enum` or an `anyOf` is the whole of what the API's description says of a field (see openapi/schemas.ts); that it
 * says what the code does is tested with generated requests.
 */

/** A text that is not blank, without NUL and halves of surrogate pairs, which the whole body is checked for. */
export const NOT_BLANK = '^(?=[\\s\\S]*\\S)[^\\u0000\\ud800-\\udfff]+$';
const NOT_BLANK_NOR_CONTROL = '^(?=[\\s\\S]*\\S)[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]+$';

const nameFault = `must be a text of 1 to ${NAME_LIMIT_CHARS} characters without control characters`;

/** A name that callers choose. */
export const name = z
  .string({ error: nameFault })
  .refine((text) => text.trim() !== '' && text.length <= NAME_LIMIT_CHARS && !/\p{Cc}/u.test(text), {
    error: nameFault,
  })
  .meta({
    id: 'Name',
    type: 'string',
    minLength: 1,
    maxLength: NAME_LIMIT_CHARS,
    pattern: NOT_BLANK_NOR_CONTROL,
    description: 'A name that callers choose, without control characters.',
  });

export const workflowId = name.meta({
  description: 'The id of the build, as its start answered with it.',
  examples: ['e5689e03-f1ee-5182-9cfb-fdaeeb896567'],
});
export const projectId = name.meta({
  description: 'The project that the build belongs to. A project is there from its first build on.',
  examples: ['shop'],
});
/** Path parameters of the calls about one build, and of those about one project. */
export const workflowParams = z.object({ workflow_id: workflowId });
export const projectParams = z.object({ project_id: projectId });

export const buildId = name.meta({
  description: "The caller's own name for the build, unique for ever: one build_id is one build.",
  examples: ['shop-42'],
});
export const userId = name.meta({ description: 'The person for whom the build is made.', examples: ['ann'] });
export const model = name.nullish().meta({
  description:
    'The model for every role of this build, by one of its known names (gpt-4, gpt-3.5-turbo, claude, local) or the name that its provider gives it. Without it each role has the model of the configuration.',
});

const reasonFault = `must be a text of 1 to ${REASON_LIMIT_CHARS} characters`;
export const reason = z
  .string({ error: reasonFault })
  .refine((text) => text.trim() !== '' && text.length <= REASON_LIMIT_CHARS, { error: reasonFault })
  .meta({
    id: 'Reason',
    type: 'string',
    minLength: 1,
    maxLength: REASON_LIMIT_CHARS,
    pattern: NOT_BLANK,
    description: 'Why: it stands in the audit and, where work is to be done again, in the next prompt.',
    examples: ['The plan leaves out accented letters'],
  });

/** Reads a name of a fixed list in either case. `id` names it in the API's description. */
function oneOf<T extends string>(id: string, read: (value: unknown) => T | null, names: readonly T[], told: string) {
  const error = `must be one of ${names.join(', ')}`;
  return z
    .string({ error })
    .transform((given, context): T => {
      const value = read(given);
      if (value !== null) return value;
      context.addIssue({ code: 'custom', message: error });
      return z.NEVER;
    })
    .meta({
      id,
      type: 'string',
      enum: [...names, ...names.map((one) => one.toUpperCase())],
      description: `${told} Upper and lower case are the same.`,
    });
}

export const role = oneOf('RoleInput', readRole, ROLES, 'A role.');
export const state = oneOf('StateInput', readState, STATES, 'A state of the machine.');
export const status = oneOf(
  'StatusInput',
  (given) => STATUSES.find((one) => one === String(given).toLowerCase()) ?? null,
  STATUSES,
  "What a build's life is.",
);
export const phase = oneOf(
  'PhaseInput',
  (given) => {
    const found = readState(given);
    return found !== null && isPhase(found) ? found : null;
  },
  PHASES,
  'A phase.',
);
/** A state in which a build can be worked on: all but `complete` and `error`. */
export const openState = oneOf(
  'OpenStateInput',
  (given) => {
    const found = readState(given);
    return found === 'complete' || found === 'error' ? null : found;
  },
  STATES.filter((found) => found !== 'complete' && found !== 'error'),
  'A state in which a build can be worked on: a phase or a handoff.',
);

/** Makes a command untimely in any other state. */
export const expectedState = state.nullish().meta({
  description: 'The state that the caller believes the build to be in: in any other the call is refused.',
});

/** Checked without walking into it: depth and texts are checked for the whole body at once. */
export const jsonObject = z.unknown().refine(isJsonObject, { error: 'must be an object' }).meta({ type: 'object' });

export const requirements = z
  .unknown()
  .refine(
    (given) => (typeof given === 'string' ? given.trim() !== '' : isJsonObject(given) && Object.keys(given).length > 0),
    { error: 'must be an object or a text, and not empty' },
  )
  .meta({
    anyOf: [
      { type: 'string', pattern: NOT_BLANK },
      { type: 'object', minProperties: 1 },
    ],
    description: 'What is to be built: a text, or an object of any shape. At most 256 kB of JSON.',
    examples: ['A function that turns titles into slugs'],
  });
