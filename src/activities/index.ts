import { announce } from './announce.ts';
import { commitFiles } from './commit-external.ts';
import type { Activities } from './contract.ts';
import type { ActivityDeps } from './deps.ts';
import { flush } from './flush.ts';
import { measure, phase } from './phase/phase.ts';
import { openSource } from './source.ts';
import { undoRelease } from './undo-release.ts';

/** The activities of a worker, given what they work with. */
export function createActivities(deps: ActivityDeps): Activities {
  return {
    phase: (input) => phase(deps, input),
    measure: (input) => measure(deps, input),
    commitFiles: (input) => commitFiles(deps, input),
    openSource: (input) => openSource(deps, input),
    undoRelease: (input) => undoRelease(deps, input),
    announce: (input) => announce(deps, input),
    flush: (input) => flush(deps, input),
  };
}
