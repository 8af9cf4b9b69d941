import type { Batch, PhaseOutput } from '../activities/contract.ts';
import type { BuildSnapshot } from '../machine/snapshot.ts';
import type { BuildInput, HistoryReply } from '../workflows/messages.ts';

/** How Temporal says that a run ended. */
export type RunEnding = 'completed' | 'cancelled' | 'terminated' | 'failed' | 'timed_out';

export type RunPlace = Readonly<{ workflowId: string; runId: string }>;

/** A run that goes on or has ended; `changedAtMs` is when it began or ended. */
export type ChangedRun = RunPlace & Readonly<{ isOpen: boolean; changedAtMs: number }>;

/** The newest run of a workflow id: the one that decides what became of the build. */
export type LatestRun = RunPlace &
  Readonly<{ ending: RunEnding | null; startedAtMs: number; closedAtMs: number | null }>;

/** What the last activity that a run asked for was given: the build as it was then, and the rows nobody had confirmed. */
export type LastWork = Readonly<{ build: BuildSnapshot; batch: Batch }>;

/** What the history of a closed run tells without a worker. */
export type RunRecord = Readonly<{
  input: Readonly<Partial<BuildInput>>;
  /** Differs from the run's own id after a reset. */
  originalRunId: string;
  /** When the newest event happened, by the server's clock. */
  lastEventAtMs: number;
  lastWork: LastWork | null;
  /** Up to which row that activity said the mirror to be; 0 where it did not say. */
  ackedSeq: number;
  /** What that activity answered, where it was a phase that ended. */
  lastAnswer: PhaseOutput | null;
  /** Why the run was ended, in the words of whoever ended it. */
  reason: string | null;
}>;

/** Runs of builds, as Temporal tells of them. Every call has a deadline, and fails when Temporal is away. */
export type ClosedRuns = Readonly<{
  /**
   * Those that ended since then without completing, and those that began since then and go on, a page at a time: a run
   * that a reset has made begins with the reset. Visibility may tell of a run a while later.
   */
  changedSince(since: Readonly<{ endedMs: number; startedMs: number }>): AsyncIterable<readonly ChangedRun[]>;
  /** @returns null when Temporal does not know the workflow id, or what it knows is no build of ours */
  latest(workflowId: string): Promise<LatestRun | null>;
  record(run: RunPlace): Promise<RunRecord>;
  /** The workflow's own answer to its `history` query, replayed by a worker; null when none answers in time. */
  rowsOf(run: RunPlace): Promise<HistoryReply | null>;
}>;
