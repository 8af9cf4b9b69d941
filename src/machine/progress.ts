import { type Build, completedPhases, isExternal, isOver, type Outcome, type Position, stateOf } from './build.ts';
import { actingRole, PHASES, type Role, STATE_TABLE } from './states.ts';

export type Progress = Readonly<{ percentage: number; completed: number; total: number }>;

/** percentage = round(100 × completed / 6), from the phases whose result is in the build. */
export function progressOf(completed: number): Progress {
  return { percentage: Math.round((100 * completed) / PHASES.length), completed, total: PHASES.length };
}

/** Text like "0h 45m"; whole minutes, rounded down; never negative. */
export function durationText(durationMs: number): string {
  const minutes = Math.max(0, Math.floor(durationMs / 60_000));
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

/** From the start to the end of a build, or to now while it has none. */
export function elapsedMs(build: Pick<Build, 'createdAtMs' | 'position'>, nowMs: number): number {
  const { position } = build;
  return (isOver(position) ? position.endedAtMs : nowMs) - build.createdAtMs;
}

type ExpectedOf = Pick<Build, 'spec' | 'position' | 'activeMs'>;

export type Expectation = Readonly<{ role: Role | 'operator' | null; task: string; deadlineMs: number | null }>;

function openExpectation(
  build: ExpectedOf,
  position: Position & { status: 'in_progress' },
  nowMs: number,
): Expectation {
  const role = actingRole(position.state);
  const { task } = STATE_TABLE[position.state];
  const waits = isExternal(build.spec, role);
  return { role, task, deadlineMs: waits ? null : nowMs + Math.max(0, build.spec.activeTimeoutMs - build.activeMs) };
}

/** Who is to do what next, and until when (null when a person is waited for). */
export function nextExpectation(build: ExpectedOf, nowMs: number): Expectation {
  const { position } = build;
  switch (position.status) {
    case 'in_progress':
      return openExpectation(build, position, nowMs);
    case 'error':
      return { role: 'operator', task: position.reason, deadlineMs: null };
    case 'complete':
      return { role: null, task: STATE_TABLE.complete.task, deadlineMs: null };
    case 'cancelled':
      return { role: null, task: `Nothing: the build was cancelled (${position.reason})`, deadlineMs: null };
  }
}

function progressText(done: number): string {
  const { percentage, completed, total } = progressOf(done);
  return `${completed} of ${total} phases done (${percentage} %)`;
}

/** One sentence about the state that an operation led to. */
export function describeOutcome({ newState, status, completed }: Outcome): string {
  const progress = progressText(completed);
  if (status === 'cancelled') return `cancelled in ${newState}; ${progress}`;
  if (newState === 'error') return `error: needs an operator; ${progress}`;
  return newState === 'complete' ? `complete; ${progress}` : `${newState}: ${STATE_TABLE[newState].task}; ${progress}`;
}

/** One sentence about where a build is, for replies and for the Web UI. */
export function describeState(build: Pick<Build, 'position' | 'results'>): string {
  const { position } = build;
  const progress = progressText(completedPhases(build).length);
  switch (position.status) {
    case 'in_progress':
      return `${position.state}: ${STATE_TABLE[position.state].task}; ${progress}`;
    case 'error':
      return `error: needs an operator since ${position.failedIn} (${position.reason}); ${progress}`;
    case 'complete':
      return `complete; ${progress}`;
    case 'cancelled':
      return `cancelled in ${stateOf(position)} (${position.reason}); ${progress}`;
  }
}
