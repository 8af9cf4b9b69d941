import { loadContent } from '../../artifacts/contents.ts';
import { criteriaOf } from '../../machine/criteria.ts';
import { isJsonObject, type Json, type JsonObject } from '../../machine/json.ts';
import { earlierResults } from '../../machine/snapshot.ts';
import type { Phase } from '../../machine/states.ts';
import { type Attempt, askRole } from './ask-role.ts';
import type { Done } from './done.ts';
import { evidenceFaults, type Ground, namedEvidence } from './evidence.ts';

/** Text whose lines evidence may name; what is beyond is named as a file without lines. */
const LINES_LIMIT_BYTES = 32 * 1024 * 1024;
/** The prompt cuts it file by file; this much is looked at at all. */
const DIFF_LIMIT_BYTES = 400_000;
/** Names of tests that the prompt lists. */
const NAMES_LIMIT_CHARS = 12_000;

const RUN_FIELDS = ['runner', 'passed', 'tests', 'coverage', 'coverage_of', 'failures', 'skipped'] as const;

/** The measured run with the names of its tests; null where nothing was measured. */
async function measuredRun({ deps }: Attempt, testing: Json | undefined): Promise<JsonObject | null> {
  if (!isJsonObject(testing) || testing.measured !== true) return null;
  if (typeof testing.test_report !== 'string') return isJsonObject(testing.test_run) ? testing.test_run : {};
  const report: unknown = JSON.parse((await deps.store.get(testing.test_report)).toString('utf8'));
  return isJsonObject(report) ? report : {};
}

const namesOf = (run: JsonObject): string[] =>
  Array.isArray(run.names) ? run.names.filter((name) => typeof name === 'string') : [];

/** The run as the prompt shows it: as many names as fit, and how many there are beside them. */
function shownRun(run: JsonObject): JsonObject {
  let left = NAMES_LIMIT_CHARS;
  const names = namesOf(run);
  const shown = names.filter((name) => {
    left -= name.length + 4;
    return left >= 0;
  });
  const fields = RUN_FIELDS.flatMap((name) => (run[name] === undefined ? [] : [[name, run[name]] as const]));
  const more = names.length > shown.length ? { names_not_shown: names.length - shown.length } : {};
  return { measured: true, ...Object.fromEntries(fields), names: shown, ...more };
}

const countLines = (content: string): number => content.split('\n').length - (content.endsWith('\n') ? 1 : 0);

/** The files as they stand, with the number of their lines; null where the implementation is text alone. */
async function linesOf({ deps, input, meter }: Attempt): Promise<Ground['lines']> {
  const { spec, head, results } = input.build;
  if (head === null || (results.implementation?.commit ?? null) === null) return null;
  const at = { workflowId: spec.workflowId, commit: head.commit, bundle: head.bundle, signal: meter.signal };
  const { files, omitted } = await deps.workspaces.readFiles({ ...at, limitBytes: LINES_LIMIT_BYTES });
  return new Map([
    ...files.map(({ path, content }) => [path, content === '' ? 0 : countLines(content)] as const),
    ...omitted.map(({ path }) => [path, null] as const),
  ]);
}

/** What the build changed in the code that it began with; null where it began with none, so that all of its files are new. */
async function changesOf({ deps, input, meter }: Attempt): Promise<string | null> {
  const { spec, head, base } = input.build;
  if (!head || !base) return null;
  const at = { workflowId: spec.workflowId, commit: head.commit, bundle: head.bundle, signal: meter.signal };
  return await deps.workspaces.diff({ ...at, base: base.commit, limitBytes: DIFF_LIMIT_BYTES });
}

async function resultsOf({ deps, input }: Attempt): Promise<Partial<Record<Phase, Json>>> {
  const earlier = earlierResults(input.build, 'verification').filter(({ phase }) => phase !== 'implementation');
  const loaded = earlier.map(async ({ phase, content }) => [phase, await loadContent(deps.store, content)] as const);
  return Object.fromEntries(await Promise.all(loaded));
}

/**
 * The verification overseer's phase. What the role gives as evidence is looked up: an answer whose evidence does not exist
 * is refused and asked for again within the phase.
 */
export async function verify(attempt: Attempt): Promise<Done> {
  const [results, lines, diff] = await Promise.all([resultsOf(attempt), linesOf(attempt), changesOf(attempt)]);
  const run = await measuredRun(attempt, results.testing);
  const ground: Ground = { criteria: criteriaOf(results), lines, tests: run && namesOf(run) };
  const testRun = run && shownRun(run);
  const asked = await askRole(attempt, { testRun, diff, faultsOf: (value) => evidenceFaults(value, ground) });
  // What was looked up is the orchestrator's to say, not the role's.
  const checked = { criteria: ground.criteria.length, commit: attempt.input.build.head?.commit ?? null };
  const value = { ...asked.value, evidence: namedEvidence(asked.value, ground), evidence_checked: checked };
  return { ...asked, value, commit: null };
}
