import type { Observed } from './report.ts';

/** One way to run a project's tests: what to start, and how to read what it has reported. */
export type RunPlan = Readonly<{
  runner: 'node' | 'python';
  file: string;
  args: readonly string[];
  /** Files of ours that the run must be able to read, and that no message may name. */
  ownFolders: readonly string[];
  /** Reads the report; what is missing in it counts as not run. */
  observe(): Promise<Observed | null>;
  /** The exit code with which our own runner says that this machine's runtime cannot do it. */
  unfitExitCode?: number;
}>;
