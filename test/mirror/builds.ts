import { applyCommand, startBuild } from '../../src/machine/apply.ts';
import type { Build, BuildSpec, ModelCall } from '../../src/machine/build.ts';
import type { Command } from '../../src/machine/commands.ts';
import type { AuditRow } from '../../src/machine/events.ts';
import type { JsonObject } from '../../src/machine/json.ts';
import { snapshotOf } from '../../src/machine/snapshot.ts';
import type { FlushInput } from '../../src/mirror/mirror.ts';
import { completing, call as sampleCall, specOf as sampleSpec } from '../machine/sample-builds.ts';

export const T0 = Date.UTC(2026, 0, 2, 3, 4, 5);

export const specOf = (id: string, change: Partial<BuildSpec> = {}): BuildSpec =>
  sampleSpec({ workflowId: `workflow-${id}`, buildId: `build-${id}`, projectId: 'project', userId: 'user', ...change });

export const call = (id: string, change: Partial<ModelCall> = {}): ModelCall => ({ ...sampleCall(id), ...change });

/** Results with which each phase in turn passes. */
export const RESULTS: readonly JsonObject[] = [
  { discovered_reqs: ['slugify'], success_criteria: ['works'], open_questions: [] },
  { plan: 'one file', testing_strategy: 'unit', requirements: [], success_criteria: ['works'] },
  { code: 'x', test_cases: [], documentation: '', technical_notes: '' },
  { all_tests_passed: true, test_coverage: 95, test_results: 'ok' },
  { approved_for_deployment: true, verification_report: 'fine', recommendations: [], evidence: [] },
  { deployment_successful: true, version: '1.0.0', deployed_at: 'now', notes: '', monitoring_status: 'ok' },
];

export const completePhase = (data: JsonObject, calls: readonly ModelCall[] = []): Command =>
  completing(data, {}, { activeMs: 10, calls });

export type Step = Readonly<{ build: Build; rows: readonly AuditRow[] }>;

/** A build after its start and after each command, with the rows that each made. */
export function steps(spec: BuildSpec, commands: readonly Command[]): Step[] {
  let at: Step = startBuild(spec, T0);
  const all = [at];
  for (const command of commands) {
    const applied = applyCommand(at.build, command, T0 + all.length * 1000);
    if (!applied.ok) throw new Error(applied.refusal.message);
    at = { build: applied.build, rows: applied.rows };
    all.push(at);
  }
  return all;
}

/** A build from start to release; one step per phase behind the first. */
export const cleanRun = (spec: BuildSpec): Step[] =>
  steps(
    spec,
    RESULTS.map((data, i) => completePhase(data, [call(`c${i}`)])),
  );

export const flushOf = (step: Step, change: Partial<FlushInput> = {}): FlushInput => ({
  branch: 'run-1',
  runId: 'run-1',
  openedAtMs: step.build.updatedAtMs,
  build: snapshotOf(step.build),
  rows: step.rows,
  ...change,
});
