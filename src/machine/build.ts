import type { Json, JsonObject } from './json.ts';
import type { Source } from './source.ts';
import {
  isHandoff,
  isPhase,
  type OpenState,
  PHASES,
  type Phase,
  phaseAt,
  type Role,
  STATE_TABLE,
  type State,
} from './states.ts';
import type { Tally } from './tally.ts';

/** A reference to content in the artifact store. `preview` is its first characters, for people. */
export type ArtifactRef = Readonly<{ sha256: string; bytes: number; preview: string }>;

/** Something that is carried whole when small, by reference when large. */
export type Content = Readonly<{ kind: 'inline'; value: Json } | { kind: 'artifact'; ref: ArtifactRef }>;

/**
 * One commit in the workspace of a build. `bundle`: sha256 of the artifact from which a worker fetches it whose repository
 * lacks it; absent in builds that began before there was one.
 */
export type Commit = Readonly<{ commit: string; tree: string; bundle?: string }>;

/**
 * Where the build's tree stands. `runnable`: the simulated model alone wrote this commit and every one before it, so that
 * the orchestrator may run the files without a sandbox. One foreign commit spoils the tree until a rollback takes it out.
 */
export type Head = Commit & Readonly<{ runnable: boolean }>;

/** One call of a model: what it cost. `id` is unique within an attempt of a phase. */
export type ModelCall = Readonly<{
  id: string;
  model: string;
  provider: string;
  promptTokens: number;
  completionTokens: number;
  durationMs: number;
  outcome: 'ok' | 'repaired' | 'failed' | 'cancelled';
  /** Why a call failed or its answer was refused. */
  error?: string;
}>;

/** What one attempt handed on. When it is too large to travel, `data` is an extract and `full` refers to the whole. */
export type PhaseResult = Readonly<{
  seq: number;
  attempt: number;
  by: 'llm' | 'external';
  data: JsonObject;
  full: ArtifactRef | null;
  commit: Commit | null;
  /** The model that answered last in this attempt, and the tokens of all its calls; absent where no model was asked. */
  used?: Readonly<{ model: string; tokens: number }>;
}>;

/** One answer in the conversation of a build. `n` is its number in the build, so that a rollback can cut there. */
export type Turn = Readonly<{
  n: number;
  phase: Phase;
  attempt: number;
  role: Role;
  /** What was handed on. */
  content: Content;
  /** What an outside agent said beside that, in its own words or JSON. */
  aiResponse?: Content;
}>;

/** Why a phase is run again: shown in the prompt until `until` completes. */
export type Feedback = Readonly<{
  kind: 'sent_back' | 'retry' | 'rollback';
  from: OpenState;
  to: Phase;
  until: Phase;
  attempt: number;
  reason: string;
  rejected: readonly Rejected[];
}>;
export type Rejected = Readonly<{ phase: Phase; data: JsonObject; full: ArtifactRef | null }>;

/** What a rollback to a phase restores: the build just before the phase's first attempt since the phase before it. */
export type Checkpoint = Readonly<{ turns: number; head: Head | null; feedback: readonly Feedback[] }>;

/** Files that were handed on and wait to be committed: their content is that of the turn `n`. */
export type Pending = Readonly<{ phase: Phase; attempt: number; n: number }>;

/** The orchestrator's own run of the tests for an external tester. */
export type Measurement = Readonly<{ passed: boolean; coverage: number; summary: string; full: ArtifactRef | null }>;
export type Gate = Readonly<{ kind: 'none' } | { kind: 'running' } | { kind: 'measured'; measurement: Measurement }>;

export type ParkCode =
  | 'send_back_limit'
  | 'workflow_timeout'
  | 'model_failed'
  | 'bad_answer'
  | 'release_failed'
  | 'phase_failed';

export type Open = Readonly<{ status: 'in_progress'; state: OpenState }>;
export type Parked = Readonly<{
  status: 'error';
  failedIn: OpenState;
  resumeAt: Phase;
  code: ParkCode;
  reason: string;
}>;
export type Complete = Readonly<{ status: 'complete'; endedAtMs: number }>;
export type Cancelled = Readonly<{ status: 'cancelled'; endedAtMs: number; reason: string; was: Open | Parked }>;
export type Position = Open | Parked | Complete | Cancelled;

/** What a build's life is, by its wire names. */
export const STATUSES = ['in_progress', 'error', 'complete', 'cancelled'] as const satisfies Position['status'][];
export type Status = (typeof STATUSES)[number];

/** What became of an operation, remembered so that its repetition answers the same. */
export type Outcome = Readonly<{
  previousState: State;
  newState: State;
  status: Position['status'];
  /** Phases whose result was in the build then. */
  completed: number;
  atMs: number;
  /** The phase whose result the operation handed on, and the sequence number it had. */
  handedOn: Readonly<{ phase: Phase; seq: number }> | null;
}>;
/** `content` is a fingerprint of the command, so that an id used again for something else is told from a repetition. */
export type Operation = Readonly<{ id: string; content: string; outcome: Outcome }>;

/**
 * The rules by which builds begin today. A build keeps to those that it began with, because its history must replay: one
 * without any began before files of external roles were committed and releases taken back, and does neither.
 */
export const RULES = 2;

/** What a start fixes for the life of a build. */
export type BuildSpec = Readonly<{
  workflowId: string;
  buildId: string;
  projectId: string;
  userId: string;
  requirements: Content;
  metadata: Content | null;
  model: string | null;
  /** The model each role had by configuration at the start: shown to operators; the worker's own configuration decides. */
  defaultModels?: Readonly<Partial<Record<Role, string>>>;
  externalRoles: readonly Role[];
  /** Percent; testing below it is rejected. */
  coverageMin: number;
  /** Rejects of one phase that are sent back before the next parks the build. */
  maxSendBacks: number;
  activeTimeoutMs: number;
  /** Digest of what the start asked for: the same again is the same start, other content is another's build_id. */
  startDigest: string;
  /** True when every model call of this build goes to the simulated model. */
  simulated: boolean;
  /** {@link RULES} at the start. */
  rules?: number;
  /** Whether the orchestrator runs the tests of files that others than the simulated model wrote; absent means no. */
  mayRunAnyFiles?: boolean;
  /** Whether somebody is told when the build is released; absent means no. */
  announces?: boolean;
  /** The existing code base that the build begins with; absent where it begins with nothing. */
  source?: Source;
}>;

/** The domain object: one run from requirements to release. Immutable; only `applyCommand` makes the next one. */
export type Build = Readonly<{
  spec: BuildSpec;
  position: Position;
  attempts: Readonly<Record<Phase, number>>;
  results: Readonly<Partial<Record<Phase, PhaseResult>>>;
  conversation: readonly Turn[];
  turns: number;
  feedback: readonly Feedback[];
  checkpoints: Readonly<Partial<Record<Phase, Checkpoint>>>;
  sendBacks: Readonly<Partial<Record<Phase, number>>>;
  head: Head | null;
  /** The commit of the source: what is "changed" differs from it. Null or absent where there is none, or not yet. */
  base?: Commit | null;
  /** The phase whose files an external role has handed on and that are not committed yet. */
  pending?: Pending | null;
  /** Attempts of deployment whose release, where they made one, must be taken back; newest first. 0: those before a reset. */
  toUndo?: readonly number[];
  /** True after a release could not be taken back, until an operator's next command: then it is tried again. */
  undoStuck?: boolean;
  gate: Gate;
  activeMs: number;
  tokens: number;
  /** Rises with every command that takes effect: a result of an older epoch is late. */
  epoch: number;
  /** Sequence number of the last audit row. */
  seq: number;
  tally: Tally;
  createdAtMs: number;
  updatedAtMs: number;
  operations: readonly Operation[];
}>;

/** Operation ids a build remembers (design: the last 100). */
export const OPERATION_LIMIT = 100;
/** Answers beside the current results that a build carries for its prompts; older ones stay in the audit. */
export const CONVERSATION_LIMIT = 24;

/** The contract's current_state. */
export function stateOf(position: Position): State {
  switch (position.status) {
    case 'in_progress':
      return position.state;
    case 'error':
      return 'error';
    case 'complete':
      return 'complete';
    case 'cancelled':
      return stateOf(position.was);
  }
}

/** The contract's current_role: in error the owner of the phase that failed. */
export function roleOf(position: Position): Role {
  switch (position.status) {
    case 'in_progress':
      return STATE_TABLE[position.state].owner;
    case 'error':
      return STATE_TABLE[position.failedIn].owner;
    case 'complete':
      return STATE_TABLE.complete.owner;
    case 'cancelled':
      return roleOf(position.was);
  }
}

/** The phase a position is about: the one worked on, waited for, or failed; null once complete. */
export function phaseOf(position: Position): Phase | null {
  switch (position.status) {
    case 'in_progress':
      return phaseAt(position.state);
    case 'error':
      return phaseAt(position.failedIn);
    case 'complete':
      return null;
    case 'cancelled':
      return phaseOf(position.was);
  }
}

/** The number of the attempt that is worked on or failed; in a handoff state of the one that its acknowledgement begins. */
export function attemptOf({ position, attempts }: Pick<Build, 'position' | 'attempts'>, phase: Phase): number {
  const place = position.status === 'error' ? position.failedIn : stateOf(position);
  return isHandoff(place) ? attempts[phase] + 1 : attempts[phase];
}

export const isOver = (position: Position): position is Complete | Cancelled =>
  position.status === 'complete' || position.status === 'cancelled';

export const isExternal = (spec: BuildSpec, role: Role): boolean => spec.externalRoles.includes(role);

/** Whether a model works on the build now: it is in a phase whose role no person or outside agent does. */
export const isModelDriven = ({ position, spec }: Pick<Build, 'position' | 'spec'>): boolean =>
  position.status === 'in_progress' && isPhase(position.state) && !isExternal(spec, STATE_TABLE[position.state].owner);

/** Phases whose result is in the build, in order. */
export const completedPhases = (build: Pick<Build, 'results'>): Phase[] =>
  PHASES.filter((phase) => build.results[phase] !== undefined);

/**
 * Whether the orchestrator may run the tests of the build's files itself: they are the result of the implementation (a
 * person's text leaves the tree of an earlier attempt as it was), and either a sandbox holds whatever runs, or the whole
 * tree is runnable.
 */
export const mayRunFiles = ({ head, results, spec }: Pick<Build, 'head' | 'results' | 'spec'>): boolean =>
  (spec.mayRunAnyFiles === true || head?.runnable === true) && (results.implementation?.commit ?? null) !== null;

/** Whether an answer of the conversation is the phase's result in the current build. */
export const isCurrentResult = ({ results }: Pick<Build, 'results'>, turn: Pick<Turn, 'phase' | 'attempt'>): boolean =>
  results[turn.phase]?.attempt === turn.attempt;

/** A result as handoffs and the mirror show it: itself, or its extract with the reference to the whole. */
export const shownData = ({ data, full }: Pick<PhaseResult, 'data' | 'full'>): JsonObject =>
  full === null ? data : { ...data, artifact: { ...full } };
