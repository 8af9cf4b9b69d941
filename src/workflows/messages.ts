import type { Build, BuildSpec, Position } from '../machine/build.ts';
import type { AuditRow } from '../machine/events.ts';
import type { JsonObject } from '../machine/json.ts';
import type { MessageName } from '../machine/messages.ts';
import type { BuildSnapshot } from '../machine/snapshot.ts';
import type { Phase, Role, State } from '../machine/states.ts';

/** The workflow's type name, as it stands in histories: never change it. */
export const WORKFLOW_TYPE = 'build';

/** Search attributes of every build, by their Temporal type; they must be registered on the server. */
export const SEARCH_ATTRIBUTES = {
  BuildState: 'Keyword',
  BuildProject: 'Keyword',
  BuildId: 'Keyword',
  BuildNeedsOperator: 'Bool',
} as const;

/** Memo field that says what a start asked for, so that a repeated start is told from a taken build_id. */
export const MEMO_START_DIGEST = 'startDigest';

/** What continue-as-new carries into the next run. */
export type Carried = Readonly<{ build: Build; outbox: readonly AuditRow[]; branch: string }>;

/** The workflow's one argument. */
export type BuildInput = Readonly<{ spec: BuildSpec; carried?: Carried }>;

/** Names of the Updates, which are also the names of the signals. */
export type UpdateName = MessageName;

/** What every Update answers. */
export type OperationReply = Readonly<{
  previous_state: State;
  new_state: State;
  status: Position['status'];
  next_role: Role | null;
  handoff_data: JsonObject;
  is_complete: boolean;
  state_description: string;
  timestamp: string;
}>;

/** `details[0]` of the ApplicationFailure with which an Update is rejected; the failure's `type` is the code. */
export type RejectionDetails = Readonly<{
  code: string;
  state: State | null;
  allowed: readonly string[];
  faults: readonly Readonly<{ at: string; fault: string }>[];
}>;

/** Query `history`: the newest rows the workflow still holds; `flushed_seq` and older are in the mirror. */
export type HistoryReply = Readonly<{ branch: string; flushed_seq: number; rows: readonly AuditRow[] }>;

/** Query `prompt`: what the prompt of the current phase is made from. */
export type PromptReply = Readonly<{ phase: Phase; role: Role; attempt: number; build: BuildSnapshot }>;

export const QUERY_NAMES = ['status', 'history', 'prompt'] as const;
