/** The existing code base that a build begins with. `ref`: a branch, tag or commit; null takes what is checked out there. */
export type Source = Readonly<
  { kind: 'git'; url: string; ref: string | null } | { kind: 'path'; path: string; ref: string | null }
>;

/*
 * The rules are patterns, so that the description of the API says just what the code does. They look neither ahead nor
 * back, which lets generated requests be made from them.
 */

/** Control characters and halves of surrogate pairs, inside brackets. */
const UNSEEN = '\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff';
/** The first sign of a name is no hyphen, or git and ssh would take it for an option. */
const NAME = '[A-Za-z0-9_][A-Za-z0-9._-]*';
const HOST = `(${NAME}|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?`;
const SIGN = `[^\\s\\\\?#${UNSEEN}]`;
/** `host::path` would be a helper program of git's, and `name://` the address of a scheme that is not taken. */
const SHORT_PATH = `(/|/?[^\\s\\\\?#:/${UNSEEN}-]${SIGN}*)`;

type Rule = Readonly<{
  limitChars: number;
  pattern: string;
  /** What must not be in a text that fits the pattern. */
  not?: string;
}>;

/**
 * The address of a repository. Read by a pattern of our own, not by URL: what is checked is the very text that git gets,
 * and git reads it otherwise. No user but ssh's: to some hosts the name is a token, and it would stay in the history.
 */
export const GIT_URL: Rule = {
  limitChars: 2000,
  pattern: `^((https|http|git)://${HOST}/${SIGN}*|ssh://(${NAME}@)?${HOST}/${SIGN}*|(${NAME}@)?${NAME}:${SHORT_PATH})$`,
};

/** The path of a repository on the worker's machine. Where it leads is not looked at here. */
export const SOURCE_PATH: Rule = { limitChars: 4000, pattern: `^/[^${UNSEEN}]*$`, not: '(^|/)\\.\\.(/|$)' };

/** The rules of `git check-ref-format`, which commits fit as well; `HEAD~1` and the like are no names. */
export const REF: Rule = {
  limitChars: 250,
  pattern: `^[^ ~^:?*\\[\\\\${UNSEEN}./-][^ ~^:?*\\[\\\\${UNSEEN}]*$`,
  not: '\\.\\.|@\\{|//|/\\.|/$|\\.$|\\.lock/|\\.lock$|^@$',
};

const fits = (text: string, { limitChars, pattern, not }: Rule): boolean =>
  text.length <= limitChars && new RegExp(pattern, 'u').test(text) && !(not && new RegExp(not, 'u').test(text));

const lengthFault = (text: string, { limitChars }: Rule): string | null =>
  text === '' || text.length > limitChars ? `must have 1 to ${limitChars} characters` : null;

const controlFault = (text: string): string | null => (/\p{Cc}/u.test(text) ? 'must hold no control characters' : null);

const FORM =
  'must be https://, http://, ssh:// or git:// with host and path, or user@host:path, without query or fragment';
const CREDENTIALS =
  'must hold no credentials, which would stay in the history of the build: give an ssh address for which the worker has a key';

/** What is wrong with the address of a repository, or null. The text itself is never repeated: it may hold a password. */
export function gitUrlFault(url: string): string | null {
  if (fits(url, GIT_URL)) return null;
  const form = /^[a-z+]+:\/\/[^/]*@/i.test(url) && !/^ssh:\/\/[^/:]*@/.test(url) ? CREDENTIALS : FORM;
  return lengthFault(url, GIT_URL) ?? controlFault(url) ?? form;
}

/** What is wrong with the path of a repository, or null. */
export function sourcePathFault(path: string): string | null {
  if (fits(path, SOURCE_PATH)) return null;
  const fault = 'must be absolute: begin it with "/", and hold no ".."';
  return lengthFault(path, SOURCE_PATH) ?? controlFault(path) ?? fault;
}

/** What is wrong with the name of a branch, tag or commit, or null. */
export function refFault(ref: string): string | null {
  if (fits(ref, REF)) return null;
  const fault =
    'must be a name as git takes it: without space ~ ^ : ? * [ \\ .. // and @{, no "-" "." or "/" before it, no "." "/" or ".lock" behind it';
  return lengthFault(ref, REF) ?? controlFault(ref) ?? fault;
}

const isText = (given: unknown): given is string => typeof given === 'string';

function isPlace(given: object): boolean {
  if (!('kind' in given)) return false;
  if (given.kind === 'git') return 'url' in given && isText(given.url) && gitUrlFault(given.url) === null;
  return given.kind === 'path' && 'path' in given && isText(given.path) && sourcePathFault(given.path) === null;
}

/** Whether it is a source that a build may be started from; a run that is started by hand may bring anything. */
export function isSource(given: unknown): given is Source {
  if (typeof given !== 'object' || given === null || !isPlace(given)) return false;
  return 'ref' in given && (given.ref === null || (isText(given.ref) && refFault(given.ref) === null));
}
