import type { Commit, Measurement, Pending } from '../machine/build.ts';
import type { ModelResult, Undone, Work } from '../machine/commands.ts';
import type { AuditRow } from '../machine/events.ts';
import type { BuildSnapshot } from '../machine/snapshot.ts';
import type { Phase } from '../machine/states.ts';

/** Audit rows on their way to the mirror. `openedAtMs` is the server's time of the workflow task that sends them. */
export type Batch = Readonly<{ branch: string; openedAtMs: number; rows: readonly AuditRow[] }>;

export type WorkInput = Readonly<{
  build: BuildSnapshot;
  batch: Batch;
  /** What the work may take: of a phase what is left of the active time when it is scheduled; its tries share it. */
  remainingMs: number;
}>;

export type PhaseInput = WorkInput & Readonly<{ phase: Phase }>;

/** `ackedSeq`: the mirror has every row up to here; 0 when it did not answer. */
type Acked = Readonly<{ ackedSeq: number; work: Work }>;
export type PhaseOutput = Acked & Readonly<{ result: ModelResult }>;
export type MeasureOutput = Acked & Readonly<{ measurement: Measurement }>;

export type OpenSourceOutput = Acked & Readonly<{ commit: Commit }>;

export type CommitFilesInput = WorkInput & Readonly<{ pending: Pending }>;
/** `commit` is null where the result turned out to have no files. */
export type CommitFilesOutput = Acked & Readonly<{ commit: Commit | null }>;

/** Beside these attempts of this branch, whatever an older branch of the build released is taken back. */
export type UndoReleaseInput = WorkInput & Readonly<{ attempts: readonly number[] }>;
export type UndoReleaseOutput = Acked & Readonly<{ undone: readonly Undone[] }>;

export type AnnounceInput = Readonly<{ build: BuildSnapshot }>;

export type FlushInput = Readonly<{ build: BuildSnapshot; batch: Batch; patience: 'one_try' | 'until_written' }>;

/** What the workflow may ask of a worker. */
export type Activities = {
  /** Runs one attempt of a model-driven phase: flush, prompt, model, check, files, tests, release. */
  phase(input: PhaseInput): Promise<PhaseOutput>;
  /** Runs the tests of the build's files for an external tester. */
  measure(input: PhaseInput): Promise<MeasureOutput>;
  /** Fetches the existing code that the build begins with; its commit becomes the build's head and base. */
  openSource(input: WorkInput): Promise<OpenSourceOutput>;
  /** Commits the files that an external role handed on. */
  commitFiles(input: CommitFilesInput): Promise<CommitFilesOutput>;
  /** Takes releases back, and sees to it that an attempt which still runs publishes none any more. Safe to repeat. */
  undoRelease(input: UndoReleaseInput): Promise<UndoReleaseOutput>;
  /** Tells whoever wants to know that the build was released. */
  announce(input: AnnounceInput): Promise<void>;
  /** Writes audit rows to the mirror and gives the sequence number up to which it has them. */
  flush(input: FlushInput): Promise<number>;
};
