import { type Build, completedPhases, isExternal, phaseOf, roleOf, stateOf } from './build.ts';
import { describeState, durationText, type Expectation, elapsedMs, nextExpectation, progressOf } from './progress.ts';
import type { BuildSnapshot } from './snapshot.ts';
import { nextRole, type Phase, type Role, STATE_TABLE, type State } from './states.ts';

/** The contract's GET status, less handoff_history and source, which only the API knows. Times are ISO 8601. */
export type StatusView = Readonly<{
  workflow_id: string;
  build_id: string;
  project_id: string;
  current_state: State;
  current_role: Role;
  next_role: Role | null;
  status: Build['position']['status'];
  state_description: string;
  progress: ReturnType<typeof progressOf>;
  completed_phases: readonly Phase[];
  attempt: number;
  driver: 'llm' | 'external';
  simulated: boolean;
  model: string | null;
  tokens: number;
  elapsed_time: string;
  created_at: string;
  updated_at: string;
  completed_at: string | null;
  next_expectations: Readonly<{ role: Expectation['role']; task: string; deadline: string | null }>;
}>;

const iso = (atMs: number): string => new Date(atMs).toISOString();

/** The status of a build as its users read it at a moment. */
export function statusView(build: BuildSnapshot, nowMs: number): StatusView {
  const { spec, position } = build;
  const state = stateOf(position);
  const completed = completedPhases(build);
  const phase = phaseOf(position);
  const expected = nextExpectation(build, nowMs);
  const deadline = expected.deadlineMs === null ? null : iso(expected.deadlineMs);
  return {
    workflow_id: spec.workflowId,
    build_id: spec.buildId,
    project_id: spec.projectId,
    current_state: state,
    current_role: roleOf(position),
    next_role: position.status === 'in_progress' ? nextRole(state) : null,
    status: position.status,
    state_description: describeState(build),
    progress: progressOf(completed.length),
    completed_phases: completed,
    attempt: phase === null ? build.attempts.deployment : build.attempts[phase],
    driver: isExternal(spec, phase === null ? roleOf(position) : STATE_TABLE[phase].owner) ? 'external' : 'llm',
    simulated: spec.simulated,
    model: spec.model ?? spec.defaultModels?.[roleOf(position)] ?? null,
    tokens: build.tokens,
    elapsed_time: durationText(elapsedMs(build, nowMs)),
    created_at: iso(build.createdAtMs),
    updated_at: iso(build.updatedAtMs),
    completed_at: position.status === 'complete' ? iso(position.endedAtMs) : null,
    next_expectations: { role: expected.role, task: expected.task, deadline },
  };
}
