import { z } from 'zod';
import { isJsonObject } from '../machine/json.ts';
import { GIT_URL, gitUrlFault, REF, refFault, SOURCE_PATH, type Source, sourcePathFault } from '../machine/source.ts';

const ruled = (faultOf: (text: string) => string | null) =>
  z.string({ error: 'must be a text' }).superRefine((text, context) => {
    const fault = faultOf(text);
    if (fault !== null) context.addIssue({ code: 'custom', message: fault });
  });

/** The rules are code, which no JSON Schema can be derived from: this says the same. */
const described = ({ limitChars, pattern, not }: typeof REF, description: string, example: string) => ({
  type: 'string',
  maxLength: limitChars,
  pattern,
  ...(not === undefined ? {} : { not: { pattern: not } }),
  description,
  examples: [example],
});

const ref = described(REF, 'A branch, a tag or a commit; without it what is checked out there.', 'main');
const git_url = described(
  GIT_URL,
  "The address of a git repository: https, http, ssh or git, or user@host:path. It holds no credentials: over ssh the worker's own keys are used, otherwise none.",
  'git@git.example:team/shop.git',
);
const path = described(
  SOURCE_PATH,
  "The absolute path of a git repository on the worker's machine, below a folder that the operator allows. What is committed there is taken.",
  '/home/ann/shop',
);

const placeDescribed = (name: string, place: object) => ({
  type: 'object',
  properties: { [name]: place, ref: { ...ref, type: ['string', 'null'] } },
  required: [name],
  additionalProperties: false,
});

/** The existing code base that a build begins with. */
export const source = z
  .strictObject(
    { git_url: ruled(gitUrlFault).optional(), path: ruled(sourcePathFault).optional(), ref: ruled(refFault).nullish() },
    { error: (issue) => (issue.code === 'invalid_type' ? 'must be an object with git_url or path' : undefined) },
  )
  .refine(({ git_url: url, path: folder }) => (url === undefined) !== (folder === undefined), {
    error: 'must have exactly one of git_url and path',
    // Also where other fields have faults, so that all of them are told at once.
    when: ({ value }) => isJsonObject(value),
  })
  .nullish()
  .meta({
    anyOf: [placeDescribed('git_url', git_url), placeDescribed('path', path), { type: 'null' }],
    description:
      'The existing code base that the build begins with: `git_url` or `path`, and a `ref`. Without it the build begins with nothing.',
  });

/** @returns null for a build that begins with nothing */
export function sourceOf(given: z.infer<typeof source>): Source | null {
  if (given == null) return null;
  const at = given.ref ?? null;
  if (given.git_url !== undefined) return { kind: 'git', url: given.git_url, ref: at };
  return { kind: 'path', path: given.path ?? '', ref: at };
}
