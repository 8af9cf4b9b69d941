/** The existing code base that a build begins with. `ref`: a branch, tag or commit; null takes what is checked out there. */
export type Source = Readonly<
  { kind: 'git'; url: string; ref: string | null } | { kind: 'path'; path: string; ref: string | null }
>;

export const GIT_URL_LIMIT_CHARS = 2000;
export const SOURCE_PATH_LIMIT_CHARS = 4000;
export const REF_LIMIT_CHARS = 250;

const CONTROL = /\p{Cc}/u;
/** The host's first sign is no hyphen, or ssh would take it for an option. */
const HOST = String.raw`(?:[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])`;
/** Read by a pattern of our own, not by URL: what is checked is the very text that git gets, and git reads it otherwise. */
const URL_FORM = new RegExp(String.raw`^([A-Za-z][A-Za-z0-9+.-]*)://(?:([^/@]*)@)?(${HOST})(?::\d{1,5})?(/[^\s\\]*)$`);
/** `user@host:path`, as ssh is written in short; `host::path` would be a helper program of git's. */
const SCP_FORM = new RegExp(String.raw`^(?:([^/@:\s]+)@)?${HOST}:(?![:-])[^\s\\]+$`);
const SCHEMES = ['https', 'http', 'ssh', 'git'];
const USER = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

const RULE = 'must be https://, http://, ssh:// or git:// with host and path, or user@host:path';
const NO_CREDENTIALS =
  'must hold no credentials, which would stay in the history of the build: let git on the worker know them';

/** What is wrong with the address of a repository, or null. The text itself is never repeated: it may hold a password. */
export function gitUrlFault(url: string): string | null {
  if (url === '' || url.length > GIT_URL_LIMIT_CHARS) return `must have 1 to ${GIT_URL_LIMIT_CHARS} characters`;
  if (CONTROL.test(url)) return 'must hold no control characters';
  if (url.startsWith('-')) return 'must not begin with "-"';
  return url.includes('://') ? urlFault(url) : scpFault(url);
}

function urlFault(url: string): string | null {
  const [, scheme = '', user, , path = ''] = URL_FORM.exec(url) ?? [];
  if (/^[^/]*:\/\/[^/]*:[^/]*@/.test(url)) return NO_CREDENTIALS;
  if (!SCHEMES.includes(scheme)) return RULE;
  // A token is a user's name to some hosts; ssh alone needs a name, and takes no password from an address.
  if (user !== undefined && scheme !== 'ssh') return NO_CREDENTIALS;
  if (user !== undefined && !USER.test(user)) return RULE;
  if (/[?#]/.test(path)) return 'must have no query and no fragment';
  return null;
}

function scpFault(url: string): string | null {
  const [form, user] = SCP_FORM.exec(url) ?? [];
  return form === undefined || (user !== undefined && !USER.test(user)) ? RULE : null;
}

/** What is wrong with the path of a repository on the worker's machine, or null. Where it leads is not looked at here. */
export function sourcePathFault(path: string): string | null {
  if (path === '' || path.length > SOURCE_PATH_LIMIT_CHARS) {
    return `must have 1 to ${SOURCE_PATH_LIMIT_CHARS} characters`;
  }
  if (CONTROL.test(path)) return 'must hold no control characters';
  if (!path.startsWith('/')) return 'must be absolute: begin it with "/"';
  return path.split('/').includes('..') ? 'must not hold ".."' : null;
}

/** The rules of `git check-ref-format`, which commits fit as well; `HEAD~1` and the like are no names. */
const REF_RULES: readonly Readonly<{ broken: RegExp; fault: string }>[] = [
  { broken: CONTROL, fault: 'must hold no control characters' },
  { broken: /^-/, fault: 'must not begin with "-"' },
  { broken: /[ ~^:?*[\\]/, fault: 'must hold none of space ~ ^ : ? * [ \\' },
  { broken: /\.\.|@\{|\/\/|^@$/, fault: 'must not hold "..", "@{" or "//", nor be "@"' },
  {
    broken: /^\/|\/$|\.$|(^|\/)\.|\.lock(\/|$)/,
    fault: 'must be a name of git: no part may begin with "." or end with ".lock", and "/" and "." end none',
  },
];

/** What is wrong with the name of a branch, tag or commit, or null. */
export function refFault(ref: string): string | null {
  if (ref === '' || ref.length > REF_LIMIT_CHARS) return `must have 1 to ${REF_LIMIT_CHARS} characters`;
  return REF_RULES.find(({ broken }) => broken.test(ref))?.fault ?? null;
}

const isText = (given: unknown): given is string => typeof given === 'string';

function placeFault(given: object): string | null {
  if ('kind' in given && given.kind === 'git') return 'url' in given && isText(given.url) ? gitUrlFault(given.url) : '';
  if ('kind' in given && given.kind === 'path') {
    return 'path' in given && isText(given.path) ? sourcePathFault(given.path) : '';
  }
  return '';
}

/** Whether it is a source that a build may be started from; a run that is started by hand may bring anything. */
export function isSource(given: unknown): given is Source {
  if (typeof given !== 'object' || given === null || placeFault(given) !== null) return false;
  return 'ref' in given && (given.ref === null || (isText(given.ref) && refFault(given.ref) === null));
}
