import { resolve } from 'node:path';
import type { SourceRequest } from '../client/client.ts';
import { gitUrlFault } from '../machine/source.ts';

/** What a person gives as --source: the address of a repository, else the path of one, from where the command is run. */
export function readSource(given: string, ref: string | undefined): SourceRequest {
  const at = ref === undefined ? {} : { ref };
  const isAddress = given.includes('://') || gitUrlFault(given) === null;
  return isAddress ? { git_url: given, ...at } : { path: resolve(given), ...at };
}
