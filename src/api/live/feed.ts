import type { MirrorEvent, MirrorHandoff, RowPlace } from '../ports.ts';

/** Whose events are wanted. */
export type Topic = Readonly<{ kind: 'build' | 'project'; id: string }>;

/** One event of the mirror with all that its readers are told. */
export type FeedRow = MirrorEvent &
  Readonly<{
    /** Rises from row to row over all builds; of one build, in the order in which its rows were written. */
    position: number;
    workflowId: string;
    projectId: string;
    /** What this event passed on; null where it passed on nothing. */
    handoff: MirrorHandoff | null;
    /** How the build ended, where this is its last row; else null. */
    ending: 'complete' | 'cancelled' | null;
  }>;

/** Behind `after`, up to `upTo`. */
export type Stretch = Readonly<{ after: number; upTo: number }>;

/**
 * The mirror's events as one line. Positions are given out before rows are committed, so that rows of a lower position may
 * appear behind rows of a higher one: a stretch is read for good only when nobody can write into it any more.
 * A call that fails means that Postgres is away.
 */
export type EventFeed = Readonly<{
  /** The highest position of any row; 0 without any. */
  end(): Promise<number>;
  /** Who may hold positions of rows that are not committed yet, by names that are never given twice. */
  writers(): Promise<readonly string[]>;
  /** Rows of any of these builds and projects, by position. */
  rows(
    wanted: Readonly<{ builds: readonly string[]; projects: readonly string[] }>,
    where: Stretch,
  ): Promise<FeedRow[]>;
  /** The first rows of one topic, by position. */
  page(topic: Topic, where: Stretch, limit: number): Promise<FeedRow[]>;
  /**
   * The position of a build's last row that is not behind a place; 0 without any. `over`: the build is over, and has no
   * rows behind it.
   * @returns null when the mirror does not know the build
   */
  locate(workflowId: string, place: RowPlace | null): Promise<Readonly<{ position: number; over: boolean }> | null>;
}>;
