import type { Measurement } from '../machine/build.ts';
import type { ModelResult, Work } from '../machine/commands.ts';
import type { AuditRow } from '../machine/events.ts';
import type { BuildSnapshot } from '../machine/snapshot.ts';
import type { Phase } from '../machine/states.ts';

/** Audit rows on their way to the mirror. `openedAtMs` is the server's time of the workflow task that sends them. */
export type Batch = Readonly<{ branch: string; openedAtMs: number; rows: readonly AuditRow[] }>;

export type PhaseInput = Readonly<{
  build: BuildSnapshot;
  batch: Batch;
  phase: Phase;
  /** What is left of the active time when the attempt is scheduled; tries of the same attempt share it. */
  remainingMs: number;
}>;

/** `ackedSeq`: the mirror has every row up to here; 0 when it did not answer. */
type Acked = Readonly<{ ackedSeq: number; work: Work }>;
export type PhaseOutput = Acked & Readonly<{ result: ModelResult }>;
export type MeasureOutput = Acked & Readonly<{ measurement: Measurement }>;

export type FlushInput = Readonly<{ build: BuildSnapshot; batch: Batch; patience: 'one_try' | 'until_written' }>;

/** What the workflow may ask of a worker. */
export type Activities = {
  /** Runs one attempt of a model-driven phase: flush, prompt, model, check, files, tests, release. */
  phase(input: PhaseInput): Promise<PhaseOutput>;
  /** Runs the tests of the build's files for an external tester. */
  measure(input: PhaseInput): Promise<MeasureOutput>;
  /** Writes audit rows to the mirror and gives the sequence number up to which it has them. */
  flush(input: FlushInput): Promise<number>;
};
