import { durationText, progressOf } from '../machine/progress.ts';
import { nextRole, PHASES, type Phase, phaseAt, phaseIndex, STATE_TABLE, type State } from '../machine/states.ts';
import type { StatusView } from '../machine/status-view.ts';
import type { BuildDescription, Ending } from './ports.ts';

/** A status of which some facts may be unknown. */
export type KnownStatus = Omit<StatusView, 'attempt' | 'driver' | 'simulated' | 'tokens'> &
  Readonly<{
    attempt: number | null;
    driver: StatusView['driver'] | null;
    simulated: boolean | null;
    tokens: number | null;
  }>;

export const isOver = ({ status }: Pick<StatusView, 'status'>): boolean =>
  status === 'complete' || status === 'cancelled';

/** Time goes on after a status was written down; only an ended build's stands still. */
export function atTime<T extends KnownStatus>(view: T, nowMs: number): T {
  const endedAtMs = Date.parse(view.completed_at ?? view.updated_at);
  const untilMs = isOver(view) ? endedAtMs : nowMs;
  return { ...view, elapsed_time: durationText(untilMs - Date.parse(view.created_at)) };
}

const ENDED_BY: Record<Exclude<Ending, 'completed'>, string> = {
  cancelled: 'it was cancelled in Temporal',
  terminated: 'it was terminated in Temporal',
  failed: 'its execution failed in Temporal',
};

/** A build whose execution was ended from outside is over, whatever its last status says. */
export function endedFromOutside<T extends KnownStatus>(view: T, ending: Ending | null): T {
  if (ending === null || ending === 'completed' || isOver(view)) return view;
  const why = ENDED_BY[ending];
  return {
    ...view,
    status: 'cancelled',
    next_role: null,
    state_description: `cancelled in ${view.current_state} (${why})`,
    next_expectations: { role: null, task: `Nothing: the build was cancelled (${why})`, deadline: null },
  };
}

/** What is completed in a state follows from the state alone, but not for a parked build. */
function completedBefore(state: State): Phase[] {
  if (state === 'complete') return [...PHASES];
  return state === 'error' ? [] : PHASES.slice(0, phaseIndex(phaseAt(state)));
}

/** The status of a build that neither a worker nor the mirror tells about: what Temporal itself knows. */
export function describedStatus(workflowId: string, known: BuildDescription): KnownStatus {
  const state = known.state ?? 'discovery';
  const completed = completedBefore(state);
  const status = state === 'complete' ? 'complete' : state === 'error' ? 'error' : 'in_progress';
  const at = (ms: number): string => new Date(ms).toISOString();
  const task = state === 'error' ? 'Find out why the build is parked' : STATE_TABLE[state].task;
  return endedFromOutside(
    {
      workflow_id: workflowId,
      build_id: known.buildId ?? '',
      project_id: known.projectId ?? '',
      current_state: state,
      current_role: state === 'error' ? 'q_assistant' : STATE_TABLE[state].owner,
      next_role: nextRole(state),
      status,
      state_description: `${state}; no worker answers, so only what Temporal itself knows is shown`,
      progress: progressOf(completed.length),
      completed_phases: completed,
      attempt: null,
      driver: null,
      simulated: null,
      model: null,
      tokens: null,
      elapsed_time: '',
      created_at: at(known.startedAtMs),
      updated_at: at(known.endedAtMs ?? known.startedAtMs),
      release: null,
      completed_at: status === 'complete' && known.endedAtMs !== null ? at(known.endedAtMs) : null,
      next_expectations: { role: state === 'error' ? 'operator' : nextRole(state), task, deadline: null },
    },
    known.ending,
  );
}
