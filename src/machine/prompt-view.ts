import { attemptOf, type Build, isOver, type Measurement, phaseOf } from './build.ts';
import { type BuildSnapshot, snapshotOf } from './snapshot.ts';
import { type Phase, type Role, STATE_TABLE } from './states.ts';

/**
 * What the prompt of the current phase is made from: in a handoff state of the receiver's, in error of the failed one.
 * `measurement`: the orchestrator's own run of the tests for an external tester, once it has ended.
 */
export type PromptView = Readonly<{
  phase: Phase;
  role: Role;
  attempt: number;
  measurement: Measurement | null;
  build: BuildSnapshot;
}>;

/** Null once the build is over. */
export function promptView(build: Build): PromptView | null {
  const phase = isOver(build.position) ? null : phaseOf(build.position);
  if (phase === null) return null;
  const measurement = build.gate.kind === 'measured' ? build.gate.measurement : null;
  const [role, attempt] = [STATE_TABLE[phase].owner, attemptOf(build, phase)];
  return { phase, role, attempt, measurement, build: snapshotOf(build) };
}
