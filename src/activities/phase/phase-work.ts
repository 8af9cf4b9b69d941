import { Context } from '@temporalio/activity';
import { type Commit, mayRunFiles } from '../../machine/build.ts';
import type { JsonObject } from '../../machine/json.ts';
import { type Phase, STATE_TABLE } from '../../machine/states.ts';
import { type Attempt, askRole, filesOf } from './ask-role.ts';
import { failureText, reportData, runTestsOf } from './measured.ts';

/** What a phase came to, before it is made small enough to travel. `simulated`: no other model had a hand in it. */
export type Done = Readonly<{ value: JsonObject; commit: Commit | null; simulated: boolean }>;

/** One commit on a branch of this try alone; it joins the build's branch when the next phase works on it. */
async function commitFiles({ deps, input, meter }: Attempt, value: JsonObject): Promise<Commit> {
  const { build, phase } = input;
  const { attempt: run } = Context.current().info;
  const head = build.head?.commit ?? null;
  const number = build.attempts[phase];
  const { commit, tree } = await deps.workspaces.commitAttempt({
    workflowId: build.spec.workflowId,
    base: head,
    advanceTo: head,
    attempt: { phase, attempt: number, epoch: build.epoch, run },
    files: filesOf(value),
    author: STATE_TABLE[phase].owner,
    message: `${phase}, attempt ${number}`,
    trailers: { Build: build.spec.buildId, Phase: phase, Attempt: String(number) },
    atMs: build.updatedAtMs,
    signal: meter.signal,
  });
  return { commit, tree };
}

async function onlyAsk(attempt: Attempt): Promise<Done> {
  return { ...(await askRole(attempt, null)), commit: null };
}

async function implement(attempt: Attempt): Promise<Done> {
  const { value, simulated } = await askRole(attempt, null);
  return { value, commit: await commitFiles(attempt, value), simulated };
}

/** The orchestrator's own run decides where it may run the files; the role's word can only make it stricter. */
async function test(attempt: Attempt): Promise<Done> {
  const { head } = attempt.input.build;
  const runs = head !== null && mayRunFiles(attempt.input.build);
  const before = runs ? await runTestsOf(attempt, head.commit) : null;
  const { value, simulated } = await askRole(attempt, before && reportData(before));
  const commit = filesOf(value).length > 0 ? await commitFiles(attempt, value) : null;
  // Tests that a real provider added are not run without a sandbox: the run before them counts.
  const report = before && commit && simulated ? await runTestsOf(attempt, commit.commit) : before;
  if (report === null) return { value: { ...value, measured: false }, commit, simulated };
  const passed = value.all_tests_passed === true && report.passed;
  // The run says what failed; what the role made of it stays beside that for the next attempt.
  const told = report.passed ? {} : { reason: failureText(report), role_reason: value.reason ?? null };
  const measurement = { measured: true, test_coverage: report.coverage, test_run: reportData(report) };
  return { value: { ...value, ...told, ...measurement, all_tests_passed: passed }, commit, simulated };
}

async function deploy(attempt: Attempt): Promise<Done> {
  const { deps, input, meter } = attempt;
  const { value, simulated } = await askRole(attempt, null);
  const commit = filesOf(value).length > 0 ? await commitFiles(attempt, value) : null;
  const head = commit ?? input.build.head;
  // A release that the role calls failed is not made, so nothing is left to undo.
  if (value.deployment_successful !== true || head === null) return { value, commit, simulated };
  const { workflowId, buildId, projectId } = input.build.spec;
  const { workspaces, releasesDir } = deps;
  const release = await deps.makeRelease({
    workspaces,
    releasesDir,
    workflowId,
    buildId,
    projectId,
    commit: head.commit,
    version: String(value.version),
    notes: typeof value.notes === 'string' ? value.notes : JSON.stringify(value.notes),
    attempt: input.build.attempts.deployment,
    atMs: input.build.updatedAtMs,
    signal: meter.signal,
  });
  // The moment is ours to say: the role cannot know it.
  const released = { deployed_at: new Date().toISOString(), release_path: release.path, release_tag: release.tag };
  return { value: { ...value, ...released }, commit, simulated };
}

/** What each phase does beside asking its role. */
export const PHASE_WORK = {
  discovery: onlyAsk,
  planning: onlyAsk,
  implementation: implement,
  testing: test,
  verification: onlyAsk,
  deployment: deploy,
} as const satisfies Record<Phase, (attempt: Attempt) => Promise<Done>>;
