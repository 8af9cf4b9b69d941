import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import { loadContent } from '../../artifacts/contents.ts';
import type { ReleaseManifest } from '../../artifacts/release-manifest.ts';
import { isJsonObject, type Json, type JsonObject } from '../../machine/json.ts';
import { type BuildSnapshot, contentOf } from '../../machine/snapshot.ts';
import { PHASES, ROLES, STATE_TABLE } from '../../machine/states.ts';

/** What a release tells of the build that made it. */
export type ReleaseFacts = Pick<
  ReleaseManifest,
  'requirements' | 'phases' | 'tests' | 'coverage' | 'simulated' | 'roles' | 'tokens'
> &
  Readonly<{
    /** The whole report of the last test run, as JSON; null where the orchestrator ran none. */
    testReport: Buffer | null;
  }>;

const phasesOf = ({ results }: BuildSnapshot): ReleaseFacts['phases'] =>
  PHASES.flatMap((phase) => {
    const result = results[phase];
    if (result === undefined) return [];
    const { attempt, by, commit } = result;
    const place = { commit: commit?.commit ?? null, tree: commit?.tree ?? null };
    return [{ phase, attempt, role: STATE_TABLE[phase].owner, by, ...place }];
  });

/** Tokens of a role are those of its results; what attempts cost that were sent back is in the build's sum alone. */
function rolesOf({ spec, results }: BuildSnapshot): ReleaseFacts['roles'] {
  return ROLES.map((role) => {
    const used = PHASES.filter((phase) => STATE_TABLE[phase].owner === role).flatMap(
      (phase) => results[phase]?.used ?? [],
    );
    const configured = spec.externalRoles.includes(role) ? null : (spec.model ?? spec.defaultModels?.[role] ?? null);
    const tokens = used.length === 0 ? null : used.reduce((sum, one) => sum + one.tokens, 0);
    return { role, model: used.at(-1)?.model ?? configured, tokens };
  });
}

const number = (value: Json | undefined): number | null => (typeof value === 'number' ? value : null);

/** Reads together what the build knows, from its results and the store. @throws AppError `artifact_missing` */
export async function releaseFacts(store: ArtifactStore, build: BuildSnapshot): Promise<ReleaseFacts> {
  const { testing } = build.results;
  const tested = testing ? await loadContent(store, contentOf(testing)) : null;
  const said: JsonObject = isJsonObject(tested) ? tested : {};
  // The address in a result that others than the orchestrator wrote could be that of anybody's content.
  const ours = testing?.by === 'llm' && said.measured === true && typeof said.test_report === 'string';
  const testReport = ours ? await store.get(String(said.test_report)) : null;
  const {
    measured = false,
    all_tests_passed: passed = null,
    test_run: run = null,
    test_results: results = null,
  } = said;
  return {
    requirements: await loadContent(store, build.spec.requirements),
    phases: phasesOf(build),
    tests: testing ? { measured, passed, ...(isJsonObject(run) ? run : { results }) } : null,
    coverage: number(said.test_coverage),
    simulated: build.spec.simulated,
    roles: rolesOf(build),
    tokens: build.tokens,
    testReport,
  };
}
