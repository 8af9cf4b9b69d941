import { AppError } from '../../errors.ts';
import type { ProcessEnd } from '../sandbox/run-process.ts';

type Reading = Readonly<{ told: RegExp; code: 'source_unusable' | 'source_unreachable'; means: string }>;

/** What git says when it cannot fetch, the first that fits. Its own words go to nobody: they hold paths and addresses. */
const READINGS: readonly Reading[] = [
  {
    told: /redirect|returned error: 30\d/i,
    code: 'source_unusable',
    means: 'answers with a redirect, which is not followed: give the address that it leads to',
  },
  {
    told: /could not read Username|could not read Password|Authentication failed|returned error: 40[13]|Permission denied|Host key verification failed/i,
    code: 'source_unusable',
    means:
      "does not exist or asks for credentials, of which none are sent: make it public, give an ssh address that the worker's account has a key and a known host for, or clone it there and give its path",
  },
  {
    told: /cannot run ssh/i,
    code: 'source_unusable',
    means: 'needs ssh, which is not installed on the machine of the worker',
  },
  {
    told: /not found|does not appear to be a git repository|not a git repository|returned error: 4\d\d|access denied or repository not exported|does not exist|not valid: is this a git repository/i,
    code: 'source_unusable',
    means: 'is not there, or is no git repository: is the address right?',
  },
  {
    told: /certificate|SSL|TLS/i,
    code: 'source_unusable',
    means: 'has a certificate that this machine does not trust',
  },
  {
    told: /transport '\w+' not allowed/i,
    code: 'source_unusable',
    means: 'wants to be fetched in a way that is not allowed: give https://, http://, ssh:// or git://',
  },
  {
    told: /No space left on device|Disk quota exceeded/i,
    code: 'source_unreachable',
    means: 'did not fit on the disk of the worker: free space',
  },
];

/** @param shown how the source is named to people */
export function fetchFailure(shown: string, end: ProcessEnd): AppError {
  if (end.kind !== 'exited') {
    return new AppError(
      'source_unreachable',
      `The source ${shown} did not arrive within the time that a fetch may take.`,
    );
  }
  const reading = READINGS.find(({ told }) => told.test(end.stderr));
  if (reading !== undefined) return new AppError(reading.code, `The source ${shown} ${reading.means}.`);
  return new AppError(
    'source_unreachable',
    `The source ${shown} cannot be fetched: it does not answer, or the connection broke off (git ended with ${end.exitCode}).`,
  );
}

export const unusable = (shown: string, means: string): AppError =>
  new AppError('source_unusable', `The source ${shown} ${means}.`);

export const refMissing = (shown: string, ref: string): AppError =>
  unusable(
    shown,
    `has no branch, tag or commit ${JSON.stringify(ref)}: name one that it has (a commit by all of its 40 digits), or leave ref out`,
  );

export const tooLarge = (shown: string, what: string): AppError =>
  unusable(shown, `${what}: take large files out of its history, or give a smaller repository`);
