import { stateOf } from '../../src/machine/build.ts';
import { actingRole, type OpenState, PHASES, ROLES } from '../../src/machine/states.ts';
import type { FakeBuild } from '../fakes/fake-builds.ts';
import type { KnownBuild } from '../openapi/request-arbitrary.ts';
import { complete, type RESULTS, type Served } from './serve.ts';

const phasesUpTo = (count: number) => PHASES.slice(0, count) as (keyof typeof RESULTS)[];

/** Takes new builds to every state of the machine, and to every end. */
export async function startInEveryState(api: Served): Promise<void> {
  const started = async (buildId: string, completed: number): Promise<string> => {
    const id = await api.startExternal(buildId);
    await complete(api, id, phasesUpTo(completed));
    return id;
  };
  for (let completed = 0; completed <= PHASES.length; completed += 1) await started(`after-${completed}`, completed);
  for (const completed of [2, 3, 4, 5]) {
    const id = await started(`acknowledged-${completed}`, completed);
    const { role, completedState } = knownBuild(api.heldBuild(id));
    await api.post(`/api/workflows/${id}/advance`, { role, completed_state: completedState });
  }
  const failed = {
    role: 'release_manager',
    completed_state: 'deployment',
    phase_result: { deployment_successful: false },
  };
  await api.post(`/api/workflows/${await started('parked', 5)}/advance`, failed);
  await api.post(`/api/workflows/${await started('aborted', 2)}/abort`, { reason: 'enough' });
}

export function knownBuild({ build: { spec, position } }: FakeBuild): KnownBuild {
  const state = stateOf(position);
  const isOpen = position.status === 'in_progress';
  return {
    workflowId: spec.workflowId,
    buildId: spec.buildId,
    projectId: spec.projectId,
    role: isOpen ? actingRole(state as OpenState) : ROLES[0],
    completedState: isOpen ? state : 'discovery',
  };
}
