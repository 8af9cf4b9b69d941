import { join } from 'node:path';

/** What it takes to get a binary into the cache. */
export type BinaryRequest = Readonly<{
  cacheDir: string;
  /** Progress for people, one line at a time. */
  log: (line: string) => void;
  /** Gives up, and ends a download or a build that is under way. */
  signal?: AbortSignal | undefined;
}>;

/** The version of the pinned module in temporal-server/: another pin gets another file in the cache. */
export const TEMPORAL_CLI_VERSION = '1.8.2';

export const EXECUTABLE_SUFFIX = process.platform === 'win32' ? '.exe' : '';

/** Where `go build` leaves the binary for all projects of this user. */
export function builtBinaryPath(cacheDir: string): string {
  return join(cacheDir, 'bin', `temporal-${TEMPORAL_CLI_VERSION}${EXECUTABLE_SUFFIX}`);
}
