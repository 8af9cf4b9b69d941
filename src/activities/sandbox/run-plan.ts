import type { Hollow } from './hollow-ast.mjs';
import type { Observed, Runner } from './report.ts';

/** One way to run a project's tests: what to start, and how to read what it has reported. */
export type RunPlan = Readonly<{
  runner: Runner;
  file: string;
  args: readonly string[];
  /** Files of ours that the run must be able to read, and that no message may name. */
  ownFolders: readonly string[];
  /** Reads the report; what is missing in it counts as not run. */
  observe(): Promise<Observed>;
  /** The exit code with which our own runner says that this machine's runtime cannot do it. */
  unfitExitCode?: number;
}>;

/** Source files whose functions shall do nothing in this run. */
export type HollowFiles = Readonly<{ paths: readonly string[]; gives: Hollow }>;
