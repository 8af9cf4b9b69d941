import type { Logger } from 'pino';
import type { ApiKey } from '../api-keys.ts';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import type { AppError } from '../errors.ts';
import type { BuildSpec, Status } from '../machine/build.ts';
import type { AuditRow } from '../machine/events.ts';
import type { JsonObject } from '../machine/json.ts';
import type { WireMessage } from '../machine/messages.ts';
import type { PromptView } from '../machine/prompt-view.ts';
import type { Phase, Role, State } from '../machine/states.ts';
import type { StatusView } from '../machine/status-view.ts';
import type { Providers } from '../models.ts';
import type { SourceRules } from '../source-paths.ts';
import type { HistoryReply, OperationReply, UpdateName } from '../workflows/messages.ts';
import type { EventFeed } from './live/feed.ts';
import type { LiveEvents } from './live/live-events.ts';
import type { Metrics } from './metrics.ts';

/** How an execution ended, by Temporal's own account. */
export type Ending = 'completed' | 'cancelled' | 'terminated' | 'failed';

/**
 * What came of asking a running workflow. `over`: it has ended, so the mirror is asked. `unknown`: Temporal does not
 * know it (any more). `silent`: no worker answered in time (`error` is `no_worker`), or Temporal is away
 * (`temporal_unreachable`).
 */
export type Answer<T> = Readonly<
  | { kind: 'answer'; value: T }
  | { kind: 'over'; ending: Ending }
  | { kind: 'unknown' }
  | { kind: 'silent'; error: AppError }
>;

/** What Temporal knows of a build without a worker. */
export type BuildDescription = Readonly<{
  /** The newest run. */
  runId: string;
  ending: Ending | null;
  startDigest: string | null;
  buildId: string | null;
  projectId: string | null;
  state: State | null;
  startedAtMs: number;
  endedAtMs: number | null;
}>;

/** The engine, as the API needs it. Every call has a deadline of its own. */
export type BuildsPort = Readonly<{
  /** @throws AppError `temporal_unreachable` */
  start(spec: BuildSpec): Promise<'started' | 'already_started'>;
  /**
   * Carries out one operation and waits for what came of it.
   * @param opId repeating a call with the same one never applies it twice
   * @throws AppError a refusal's code, `not_found`, `build_over`, `no_worker`, `temporal_unreachable`
   */
  execute(workflowId: string, name: UpdateName, message: WireMessage, opId: string): Promise<OperationReply>;
  status(workflowId: string): Promise<Answer<StatusView>>;
  history(workflowId: string): Promise<Answer<HistoryReply>>;
  /** Null while a build that is over has not ended yet. */
  prompt(workflowId: string): Promise<Answer<PromptView | null>>;
  /** @returns null when Temporal does not know it. @throws AppError `temporal_unreachable` */
  describe(workflowId: string): Promise<BuildDescription | null>;
}>;

/** A build as the mirror has it. */
export type MirrorBuild = Readonly<{
  workflowId: string;
  /** The run that wrote the build's row last. */
  runId: string;
  /** `workflow_metadata.start_digest` */
  startDigest: string | null;
  /** `workflow_metadata.view`: the status at the last flush. */
  view: StatusView;
}>;

/** Place of a row: `generation` counts a build's branches from 1, oldest first; a reset begins the next one. */
export type RowPlace = Readonly<{ generation: number; seq: number }>;

/** One audit row of the mirror. `undone`: a reset has taken it back. */
export type MirrorEvent = RowPlace & Pick<AuditRow, 'atMs' | 'type' | 'by' | 'data'> & Readonly<{ undone: boolean }>;
export type MirrorHandoff = RowPlace & Readonly<{ atMs: number; undone: boolean }> & NonNullable<AuditRow['handoff']>;

/** A part of a list in the order of its rows' places: at most `limit` rows behind `after` (null: from the first). */
export type RowPage = Readonly<{ after: RowPlace | null; limit: number }>;

export type MirrorHistory = Readonly<{
  /** Oldest first, so that a branch's generation is its index plus 1; `lastSeq` is its last row that was flushed. */
  branches: readonly Readonly<{ branch: string; lastSeq: number }>[];
  events: readonly MirrorEvent[];
  handoffs: readonly MirrorHandoff[];
  /** All handoffs of the build, those undone by a reset included. */
  totalHandoffs: number;
}>;

/** Place of a build in every list: newest first, and of those of one millisecond by their ids. */
export type BuildPlace = Readonly<{ createdAtMs: number; id: string }>;

/** Which builds are wanted: at most `limit` behind `after` (null: from the newest); null stands for every one. */
export type BuildFilter = Readonly<{
  projectIds: readonly string[] | null;
  userId: string | null;
  state: State | null;
  status: Status | null;
  after: BuildPlace | null;
  limit: number;
}>;

export type ListedBuild = Pick<MirrorBuild, 'view'> & Readonly<{ userId: string }>;

/** `next` is the `after` of the page behind this one; null on the last. */
export type BuildPage = Readonly<{ builds: readonly ListedBuild[]; next: BuildPlace | null }>;

/** What the builds of a project come to. */
export type ProjectFigures = Readonly<{
  builds: Readonly<Record<Status, number>>;
  /** From start to end, of all complete builds together, in milliseconds. */
  completeMs: number;
  /** Without those that a reset has undone. */
  handoffs: number;
  /** Failing verdicts and parkings, by the phase that failed; without those that a reset has undone. */
  failures: Readonly<Record<Phase, number>>;
}>;

/** The mirror, as the API reads it. A call that fails means that Postgres is away. */
export type MirrorReader = Readonly<{
  findBuild(workflowId: string): Promise<MirrorBuild | null>;
  findByBuildId(buildId: string): Promise<MirrorBuild | null>;
  /** @returns null when the mirror does not know the build; a list whose page is null is empty. */
  history(
    workflowId: string,
    pages: Readonly<{ events: RowPage | null; handoffs: RowPage | null }>,
  ): Promise<MirrorHistory | null>;
  /** What a handoff of the build as it is now passed on, by its number; null when there is none. */
  handoffData(workflowId: string, seq: number): Promise<JsonObject | null>;
  listBuilds(filter: BuildFilter): Promise<BuildPage>;
  /** All zero when the mirror knows no build of the project. */
  projectFigures(projectId: string): Promise<ProjectFigures>;
  ping(): Promise<void>;
}>;

/** What configuration fixes for every build that is started. */
export type BuildSettings = Readonly<{
  activeTimeoutMs: number;
  maxSendBacks: number;
  /** Percent; a start may ask for more, never for less. */
  coverageMin: number;
  models: Readonly<{ byRole: Readonly<Record<Role, string>>; fallbacks: readonly string[]; providers: Providers }>;
  sources: SourceRules;
  /** Files of a build may run whoever wrote them: workers have a sandbox, or an operator has confirmed that there is none. */
  mayRunAnyFiles?: boolean;
  /** Whether somebody is told when a build is released. */
  announces?: boolean;
}>;

export type ApiDeps = Readonly<{
  builds: BuildsPort;
  mirror: MirrorReader;
  artifacts: ArtifactStore;
  settings: BuildSettings;
  /** API keys; with none, every caller is `operator`. */
  keys?: readonly ApiKey[];
  /** Calls a second that one key may make; without it as many as it likes. */
  rateLimitPerS?: number;
  /** Origins whose pages may call the API from a browser. */
  corsOrigins?: readonly string[];
  metrics: Metrics;
  /** The events of all builds, for `live`. */
  feed: EventFeed;
  live: LiveEvents;
  /** Told of a build that ended in Temporal and not in the mirror, so that the mirror follows; returns at once. */
  noticeEnd: (workflowId: string) => void;
  log: Logger;
  /** Milliseconds since 1970. */
  now: () => number;
  readiness: () => Promise<Readonly<{ temporal: boolean; mirror: boolean }>>;
}>;
