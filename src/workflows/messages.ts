import type { Build, BuildSpec } from '../machine/build.ts';
import type { AuditRow } from '../machine/events.ts';
import type { MessageName } from '../machine/messages.ts';
import type { State } from '../machine/states.ts';

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

/**
 * The pause between two writes of BuildState while models drive a build, in ms. Each write costs the server some 6 ms of
 * processor, more than all else in the passing of a phase, and nobody reads a list that often (decision 19).
 */
export const INDEX_PAUSE_MS = 5000;

/** The workflow's one argument. */
export type BuildInput = Readonly<{
  spec: BuildSpec;
  carried?: Carried;
  /** INDEX_PAUSE_MS at the start; absent in runs that began before there was one: they write at every phase. */
  indexPauseMs?: number;
}>;

/** What every Update answers. */
export type { OperationReply } from '../machine/operation-reply.ts';

/** Names of the Updates, which are also the names of the signals. */
export type UpdateName = MessageName;

/** `details[0]` of the ApplicationFailure with which an Update is rejected; the failure's `type` is the code. */
export type RejectionDetails = Readonly<{
  code: string;
  state: State | null;
  allowed: readonly string[];
  faults: readonly Readonly<{ at: string; fault: string }>[];
}>;

/** Query `history`: the newest rows the workflow still holds; `flushed_seq` and older are in the mirror. */
export type HistoryReply = Readonly<{ branch: string; flushed_seq: number; rows: readonly AuditRow[] }>;

export const QUERY_NAMES = ['status', 'history', 'prompt'] as const;
