import type { Hollow } from './hollow-ast.mjs';
import type { TestRun } from './report.ts';

/** Runs the tests with functions that do nothing but give this. */
type HollowRun = (gives: Hollow) => Promise<TestRun>;

/** Names of idle tests; null where no function could be taken out. */
export type Idle = readonly string[] | null;

/** The run of the code as it is: the names of its tests, and which of them are of the user's source. */
type Judged = Readonly<{ ran: readonly string[]; theirs: ReadonlySet<string> }>;

/** Commits of which a worker remembers what the hollow runs showed: the code writer's own run and the gate ask about one. */
const REMEMBERED = 200;

/** Finds idle tests, once for each commit and base: they follow from these alone. A run that did not end is not remembered. */
export function createIdleTests(): (key: string, judged: Judged, run: HollowRun) => Promise<Idle> {
  const known = new Map<string, Idle>();
  return async (key, judged, run) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const { idle, ended } = await findIdle(judged, run);
    if (ended) known.set(key, idle);
    for (const oldest of known.keys()) if (known.size > REMEMBERED) known.delete(oldest);
    return idle;
  };
}

/**
 * Tests that pass although the functions give nothing, unless they fail where these give something: one may expect nothing.
 * That second run is made only where the first left some, and what it tells decides something.
 */
async function findIdle({ ran, theirs }: Judged, run: HollowRun): Promise<Readonly<{ idle: Idle; ended: boolean }>> {
  const nothing = await run('undefined');
  const ended = nothing.sealed;
  if (nothing.hollowed === 0) return { idle: null, ended };
  if (nothing.passed.length === 0) return { idle: [], ended };
  // Idle tests of the user's source harm nothing, unless no test proves anything.
  const passed = new Set(nothing.passed);
  if (nothing.passed.every((name) => theirs.has(name)) && ran.some((name) => !passed.has(name))) {
    return { idle: nothing.passed, ended };
  }
  const something = await run('object');
  // A file that cannot even be loaded then says nothing about its tests.
  const failed = new Set(something.failed.map(({ name }) => name));
  return { idle: nothing.passed.filter((name) => !failed.has(name)), ended: ended && something.sealed };
}
