import { type Build, completedPhases, isExternal, phaseOf, roleOf, stateOf } from './build.ts';
import type { Json } from './json.ts';
import { manifestOf } from './payloads.ts';
import { describeState, durationText, type Expectation, elapsedMs, nextExpectation, progressOf } from './progress.ts';
import type { BuildSnapshot } from './snapshot.ts';
import { nextRole, type Phase, type Role, STATE_TABLE, type State } from './states.ts';

/** The release of a build that is complete; `manifest_sha256` is its address in the artifact store. */
export type ReleaseView = Readonly<{ version: string | null; tag: string | null; manifest_sha256: string }>;

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
  release: ReleaseView | null;
  next_expectations: Readonly<{ role: Expectation['role']; task: string; deadline: string | null }>;
}>;

const textOf = (value: Json | undefined): string | null => (typeof value === 'string' ? value : null);

/** Only what the orchestrator itself wrote is believed: the address in a person's result could be that of anybody's content. */
function releaseView({ position, results: { deployment } }: BuildSnapshot): ReleaseView | null {
  const manifest = deployment?.by === 'llm' ? manifestOf(deployment.data) : null;
  if (manifest === null || deployment === undefined || position.status !== 'complete') return null;
  const { version, release_tag: tag } = deployment.data;
  return { version: textOf(version), tag: textOf(tag), manifest_sha256: manifest };
}

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
    release: releaseView(build),
    next_expectations: { role: expected.role, task: expected.task, deadline },
  };
}
