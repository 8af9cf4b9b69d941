import { AppError } from '../errors.ts';
import { commitFiles } from './commit-external.ts';
import type { Activities } from './contract.ts';
import type { ActivityDeps } from './deps.ts';
import { flush } from './flush.ts';
import { measure, phase } from './phase/phase.ts';

const absent = async (what: string): Promise<never> => {
  throw new AppError('internal', `no worker does this yet: ${what}`);
};

/** The activities of a worker, given what they work with. */
export function createActivities(deps: ActivityDeps): Activities {
  return {
    phase: (input) => phase(deps, input),
    measure: (input) => measure(deps, input),
    commitFiles: (input) => commitFiles(deps, input),
    openSource: () => absent('source'),
    undoRelease: () => absent('release'),
    announce: () => absent('announcement'),
    flush: (input) => flush(deps, input),
  };
}
