import type { Sandbox } from './sandbox.ts';

export type Runner = 'node' | 'vitest' | 'python' | 'pytest';

/** What the gate makes of the orchestrator's own run of a build's tests. Names and reasons are made for a prompt. */
export type TestReport = Readonly<{
  runner: Runner;
  /** Where the tests were run: what ran in none is told so wherever the run is shown. */
  sandbox: Sandbox['kind'];
  /** True only if the run ended by itself with exit code 0 and kept every rule of the gate but that of coverage. */
  passed: boolean;
  /** Tests that ran and prove something: skipped ones, those marked as to do and idle ones are not counted. */
  tests: number;
  /** The names of those tests, failing ones too; at most 2,000. */
  names: readonly string[];
  /** Tests that are there but were not run, or whose failure does not count; at most 2,000. */
  skipped: readonly string[];
  /** Tests that also pass when the functions they should test do nothing; at most 2,000. */
  idle: readonly string[];
  /** Tests that a later run must have too: those that failed, and those missed already; at most 2,000. */
  owed: readonly string[];
  /** At most 20. A fault of the whole run has the name `(the whole run)`. */
  failures: readonly TestFailure[];
  /** Covered lines in percent, rounded down to one decimal; lines of files that no test loads are not covered. */
  coverage: number;
  /** The lines that are counted: of the whole project, those changed since the user's source, or none because none is code. */
  coverageOf: 'all' | 'changed' | 'nothing';
  /** Counted lines that no test reaches, as `path:3-5,9`; at most 20 files. */
  uncovered: readonly string[];
  durationMs: number;
  /** The last bytes of what the run wrote. */
  output: string;
  /** Null when the run was ended from outside or by a signal. */
  exitCode: number | null;
}>;

/** `reason` has at most 300 characters. */
export type TestFailure = Readonly<{ name: string; reason: string }>;

/** First and last line of a piece of code that is covered as one, and whether it was (1) or not (0). */
export type Span = readonly [first: number, last: number, covered: 0 | 1];

/** What a runner's own report says. */
export type Observed = Readonly<{
  /** Every test that ran, by name; a name may stand there more than once. */
  ran: readonly string[];
  passed: readonly string[];
  /** Tests that failed. */
  failed: readonly TestFailure[];
  /** Files and suites that could not be run to their end. */
  broken: readonly TestFailure[];
  skipped: readonly string[];
  /** By path of the source file, relative to the project. */
  spans: ReadonlyMap<string, readonly Span[]>;
  /** Functions that were taken out before the run. */
  hollowed: number;
  /** Whether our runner wrote it to its end, and nobody after it. */
  sealed: boolean;
}>;

/** One run as it was, cleaned and not yet judged. `faults` are of the run itself, where no test tells them. */
export type TestRun = Observed &
  Readonly<{
    runner: Runner;
    faults: readonly TestFailure[];
    durationMs: number;
    output: string;
    exitCode: number | null;
  }>;

export const WHOLE_RUN = '(the whole run)';
export const NAME_LIMIT = 2000;

const FAILURES = 20;
const REASON_CHARS = 300;
const NAME_CHARS = 200;

export const NOTHING_OBSERVED: Observed = {
  ran: [],
  passed: [],
  failed: [],
  broken: [],
  skipped: [],
  spans: new Map(),
  hollowed: 0,
  sealed: false,
};

/** Makes a text fit for a prompt and for the database: no paths of this machine, no colours, no control characters. */
export type Cleaner = (text: string) => string;

// Folders of a machine. Paths such as /api/users belong to the project and stay.
const MACHINE_PATH =
  /(?:file:\/\/)?(?<![\w.:/-])\/(?:usr|opt|home|root|tmp|var|private|Users|nix|work|srv|mnt|app|lib)\/(?:[\w.@+~-]+\/)*([\w.@+~-]+)/g;

/** @param folders absolute folders of the run; what is inside them is shown relative to `.`. */
export function createCleaner(folders: readonly string[]): Cleaner {
  const prefixes = folders.flatMap((folder) => [`file://${folder}`, folder]).sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const prefix of prefixes) clean = clean.replaceAll(`${prefix}/`, '').replaceAll(prefix, '.');
    return (
      clean
        .replace(MACHINE_PATH, '$1')
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that starts a colour is one
        .replace(/\u001b\[[0-9;]*m/g, '')
        .replace(/[^\P{Cc}\n\t]|\p{Cs}/gu, '')
    );
  };
}

/** What was observed, with names and reasons made fit for a prompt. */
export function cleanObserved(observed: Observed, clean: Cleaner): Observed {
  const name = (text: string): string => cut(clean(text), NAME_CHARS);
  const failure = (each: TestFailure): TestFailure => ({
    name: name(each.name),
    reason: cut(clean(each.reason).replace(/\s+/g, ' ').trim(), REASON_CHARS),
  });
  return {
    ...observed,
    ran: observed.ran.map(name),
    passed: observed.passed.map(name),
    skipped: observed.skipped.map(name),
    failed: observed.failed.map(failure),
    broken: observed.broken.map(failure),
  };
}

export const boundFailures = (failures: readonly TestFailure[]): TestFailure[] => failures.slice(0, FAILURES);

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
