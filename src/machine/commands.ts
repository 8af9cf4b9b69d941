import type {
  ArtifactRef,
  Build,
  Commit,
  Content,
  Measurement,
  ModelCall,
  Outcome,
  ParkCode,
  Pending,
} from './build.ts';
import type { AuditRow } from './events.ts';
import type { Fault, JsonObject } from './json.ts';
import type { OpenState, Phase, Role, State } from './states.ts';

/** What an activity reports as worked: the only thing that counts as active time. */
export type Work = Readonly<{ activeMs: number; calls: readonly ModelCall[] }>;

/** What a model-driven phase hands to the machine. */
export type ModelResult = Readonly<{
  data: JsonObject;
  full: ArtifactRef | null;
  commit: Commit | null;
  /** True when no other than the simulated model answered: whether the tree may be run follows from all its commits. */
  runnable: boolean;
}>;

/** A release that was taken back. */
export type Undone = Readonly<{ attempt: number; version: string; tag: string }>;

type ByPerson = Readonly<{
  actor: string;
  opId: string | null;
  /**
   * Digest of what the caller asked for, where the command says more than the caller did: the same operation id with the
   * same digest is the same operation. Null or absent means that the command itself is compared.
   */
  opContent?: string | null;
  /** The command is refused in any other state than this; null or absent means wherever the build is. */
  expectedState?: State | null;
}>;

export type AdvanceCommand = ByPerson &
  Readonly<{
    type: 'advance';
    role: Role;
    completedState: OpenState;
    phaseResult: unknown;
    /** Where the whole result is when `phaseResult` is an extract. */
    artifact: ArtifactRef | null;
    nextState: State | null;
    /** What joins the conversation beside the result. */
    aiResponse?: Content | null;
  }>;
export type RetryCommand = ByPerson & Readonly<{ type: 'retry'; reason: string; expectedState: State | null }>;
export type RollbackCommand = ByPerson &
  Readonly<{ type: 'rollback'; targetState: Phase; reason: string; expectedState: State | null }>;
export type AbortCommand = ByPerson & Readonly<{ type: 'abort'; reason: string }>;
export type OperatorCommand = AdvanceCommand | RetryCommand | RollbackCommand | AbortCommand;

/** Commands that only the workflow gives, about the work it had done. */
export type WorkCommand =
  | Readonly<{ type: 'complete_phase'; result: ModelResult; work: Work }>
  | Readonly<{ type: 'measured'; measurement: Measurement; work: Work }>
  | Readonly<{ type: 'source_opened'; commit: Commit; work: Work }>
  | Readonly<{ type: 'files_committed'; pending: Pending; commit: Commit | null }>
  | Readonly<{ type: 'commit_failed'; reason: string }>
  | Readonly<{ type: 'release_undone'; attempts: readonly number[]; undone: readonly Undone[] }>
  | Readonly<{ type: 'undo_failed'; reason: string }>
  | Readonly<{ type: 'reset_found' }>
  | Readonly<{ type: 'fail'; code: ParkCode; reason: string; work: Work }>
  | Readonly<{ type: 'time_out'; work: Work }>
  | Readonly<{ type: 'record_late_result'; phase: Phase; attempt: number }>
  | Readonly<{ type: 'reject_signal'; signal: string; code: string; reason: string }>;

export type Command = OperatorCommand | WorkCommand;

export type RefusalCode =
  | 'wrong_state'
  | 'wrong_role'
  | 'unexpected_next_state'
  | 'nothing_before'
  | 'not_reached'
  | 'build_over'
  | 'gate_running'
  | 'idempotency_key_reused'
  | 'invalid_phase_result';

/** Why a command was refused: the current state and what is allowed in it, for the answer. */
export type Refusal = Readonly<{
  code: RefusalCode;
  message: string;
  state: State;
  allowed: readonly string[];
  faults: readonly Fault[];
}>;

export type Applied = Readonly<{ ok: true; build: Build; rows: readonly AuditRow[]; outcome: Outcome }>;
export type Refused = Readonly<{ ok: false; refusal: Refusal }>;
