import { type ProcessEnd, runProcess } from './run-process.ts';

/** One program over a project that nobody trusts. */
export type LaunchRequest = Readonly<{
  file: string;
  args: readonly string[];
  /**
   * The copy of the project, absolute and without links in its path: the program starts in it and may write to it. Regular files that were changed or
   * added are in it when the run has ended; what was removed need not be gone.
   */
  projectDir: string;
  /** A folder for reports and temporary files, as absolute: the program may write to it, and what it wrote comes back as well. */
  runDir: string;
  /** What the program must be able to read beside the system's own folders: absolute files and folders; missing ones are left out. */
  readOnly: readonly string[];
  /** The whole environment: nothing of ours is added. */
  env: Readonly<Record<string, string>>;
  timeoutMs: number;
  signal: AbortSignal;
  /** The last bytes of stdout and stderr, mixed, that are kept. */
  limitBytes: number;
}>;

/**
 * Where programs of a build run. All paths of a request are the same inside and outside.
 *
 * `launch` throws the signal's reason when aborted, AppError `sandbox_missing` when the sandbox could not be made, and an
 * error with the code `ENOENT` (without a sandbox also Node's other spawn errors) when the program is missing.
 */
export type Sandbox = Readonly<{
  kind: 'bubblewrap' | 'none';
  /** Whether it may run files that others than the simulated model wrote. */
  takesAnyFiles: boolean;
  launch(request: LaunchRequest): Promise<ProcessEnd>;
}>;

/** A plain child process: for files of the simulated model alone, unless an operator has confirmed that any may run. */
export const noSandbox = (takesAnyFiles: boolean): Sandbox => ({
  kind: 'none',
  takesAnyFiles,
  launch: ({ projectDir, runDir: _runDir, readOnly: _readOnly, ...program }) =>
    runProcess({ ...program, cwd: projectDir, keep: 'tail' }),
});
