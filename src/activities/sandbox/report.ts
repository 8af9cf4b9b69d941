/** What the orchestrator's own run of a build's tests showed. Names and reasons are made for a prompt. */
export type TestReport = Readonly<{
  runner: 'node' | 'python';
  /** True only if the run ended by itself with exit code 0 and kept every rule of the gate but that of coverage. */
  passed: boolean;
  /** Tests that ran and prove something: skipped ones and those marked as to do are not counted. */
  tests: number;
  /** The names of those tests, failing ones too; at most 2,000. */
  names: readonly string[];
  /** Tests that are there but were not run, or whose failure does not count; at most 2,000. */
  skipped: readonly string[];
  /** At most 20. A fault of the whole run has the name `(the whole run)`. */
  failures: readonly TestFailure[];
  /** Covered lines in percent, rounded down to one decimal; lines of files that no test loads are not covered. */
  coverage: number;
  /** The lines that are counted: of the whole project, those changed since the user's source, or none because none is code. */
  coverageOf: 'all' | 'changed' | 'nothing';
  durationMs: number;
  /** The last bytes of what the run wrote. */
  output: string;
  /** Null when the run was ended from outside or by a signal. */
  exitCode: number | null;
}>;

/** `reason` has at most 300 characters. */
export type TestFailure = Readonly<{ name: string; reason: string }>;

/** What a runner's own report says, before it is bounded and cleaned. */
export type Observed = Readonly<{
  tests: number;
  names?: readonly string[];
  skipped?: readonly string[];
  failures: readonly TestFailure[];
  lines: Lines;
}>;

export type Lines = Readonly<{ total: number; covered: number }>;

export const WHOLE_RUN = '(the whole run)';

const FAILURES = 20;
const REASON_CHARS = 300;
const NAME_CHARS = 200;

export function coverageOf({ total, covered }: Lines): number {
  // Rounded down, so that 79.96 never passes a gate of 80.
  return total === 0 ? 0 : Math.floor((covered * 1000) / total) / 10;
}

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

export function boundFailures(failures: readonly TestFailure[], clean: Cleaner): TestFailure[] {
  return failures.slice(0, FAILURES).map(({ name, reason }) => ({
    name: cut(clean(name), NAME_CHARS),
    reason: cut(clean(reason).replace(/\s+/g, ' ').trim(), REASON_CHARS),
  }));
}

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
