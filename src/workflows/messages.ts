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

/** The workflow's one argument. */
export type BuildInput = Readonly<{ spec: BuildSpec; carried?: Carried }>;

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
