import type { Activities } from './contract.ts';
import type { ActivityDeps } from './deps.ts';
import { flush } from './flush.ts';
import { measure, phase } from './phase/phase.ts';

/** The activities of a worker, given what they work with. */
export function createActivities(deps: ActivityDeps): Activities {
  return {
    phase: (input) => phase(deps, input),
    measure: (input) => measure(deps, input),
    flush: (input) => flush(deps, input),
  };
}
