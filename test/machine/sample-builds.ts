import { applyCommand, startBuild } from '../../src/machine/apply.ts';
import {
  type Build,
  type BuildSpec,
  type Commit,
  isExternal,
  type ModelCall,
  RULES,
  stateOf,
} from '../../src/machine/build.ts';
import type {
  AbortCommand,
  AdvanceCommand,
  Applied,
  Command,
  ModelResult,
  Refusal,
  RetryCommand,
  RollbackCommand,
  Work,
  WorkCommand,
} from '../../src/machine/commands.ts';
import type { AuditRow } from '../../src/machine/events.ts';
import { fingerprint } from '../../src/machine/fingerprint.ts';
import type { JsonObject } from '../../src/machine/json.ts';
import { nextWork } from '../../src/machine/next-work.ts';
import {
  actingRole,
  isPhase,
  type OpenState,
  type Phase,
  phaseAt,
  ROLES,
  type Role,
  STATE_TABLE,
  type State,
} from '../../src/machine/states.ts';

export const START_MS = Date.UTC(2026, 0, 1);

/** Results that pass every check, a model's too. */
export const RESULTS = {
  discovery: { discovered_reqs: ['slugify'], success_criteria: ['ascii only'], open_questions: [] },
  planning: { plan: 'one function', testing_strategy: 'units', requirements: ['slugify'], success_criteria: ['ascii'] },
  implementation: {
    files: [{ path: 'slug.js', content: 'export const slug = (t) => t;' }],
    test_cases: [{ name: 'empty', input: '', expected_output: '' }],
    documentation: 'slug(text)',
    technical_notes: 'none',
  },
  testing: { all_tests_passed: true, test_coverage: 92, test_results: 'all green' },
  verification: {
    approved_for_deployment: true,
    verification_report: 'every criterion is met',
    recommendations: [],
    evidence: [{ criterion: 'ascii only', met: true, evidence: 'test 1' }],
  },
  deployment: {
    deployment_successful: true,
    deployed_at: '2026-01-01T00:00:00Z',
    version: '1.0.0',
    notes: 'released',
    monitoring_status: 'quiet',
  },
} as const satisfies Record<Phase, JsonObject>;

export const FAILING = {
  testing: { ...RESULTS.testing, all_tests_passed: false, failures: '2 of 9 tests failed' },
  verification: { ...RESULTS.verification, approved_for_deployment: false, verification_report: 'no evidence' },
  deployment: { ...RESULTS.deployment, deployment_successful: false, notes: 'the registry refused' },
} as const;

export function specOf(changes: Partial<BuildSpec> = {}): BuildSpec {
  return {
    workflowId: '7f9c24e8-3b12-5fef-91e1-c0e9f0b1a2d3',
    buildId: 'build-1',
    projectId: 'shop',
    userId: 'ann',
    requirements: { kind: 'inline', value: 'a function that slugifies titles' },
    metadata: null,
    model: null,
    externalRoles: [],
    coverageMin: 80,
    maxSendBacks: 3,
    activeTimeoutMs: 3_600_000,
    startDigest: 'a'.repeat(64),
    simulated: true,
    rules: RULES,
    ...changes,
  };
}

export const start = (changes: Partial<BuildSpec> = {}): Build => startBuild(specOf(changes), START_MS).build;
export const startExternal = (changes: Partial<BuildSpec> = {}): Build => start({ externalRoles: ROLES, ...changes });

export const call = (id = 'c1'): ModelCall => ({
  id,
  model: 'gpt-4',
  provider: 'simulated',
  promptTokens: 100,
  completionTokens: 20,
  durationMs: 900,
  outcome: 'ok',
});
export const WORK: Work = { activeMs: 1000, calls: [call()] };

export function completing(data: JsonObject, changes: Partial<ModelResult> = {}, work: Work = WORK): WorkCommand {
  return {
    type: 'complete_phase',
    result: { data, full: null, commit: null, runnable: false, ...changes },
    work,
  };
}
export const commitOf = (name: string): Commit => ({ commit: name.padEnd(40, '0'), tree: name.padEnd(40, '1') });
/** An implementation whose files the orchestrator may run. */
export const implementing = (name = 'a'): WorkCommand =>
  completing(RESULTS.implementation, { commit: commitOf(name), runnable: true });
export const failing: WorkCommand = { type: 'fail', code: 'model_failed', reason: 'quota is used up', work: WORK };
export const timingOut: WorkCommand = { type: 'time_out', work: WORK };
export const measured = (passed: boolean, coverage: number): WorkCommand => ({
  type: 'measured',
  measurement: { passed, coverage, summary: passed ? '9 passed' : '1 of 9 failed: empty title', full: null },
  work: { activeMs: 300, calls: [] },
});

export function advancing(
  role: Role,
  completedState: OpenState,
  phaseResult: unknown = {},
  changes: Partial<AdvanceCommand> = {},
): AdvanceCommand {
  const fixed = { type: 'advance', actor: 'ann', opId: null, artifact: null, nextState: null } as const;
  return { ...fixed, role, completedState, phaseResult, ...changes };
}
export const retrying = (reason = 'do it again', changes: Partial<RetryCommand> = {}): RetryCommand => ({
  type: 'retry',
  actor: 'ann',
  opId: null,
  expectedState: null,
  reason,
  ...changes,
});
export const rollingBack = (targetState: Phase, changes: Partial<RollbackCommand> = {}): RollbackCommand => ({
  type: 'rollback',
  actor: 'ann',
  opId: null,
  expectedState: null,
  reason: 'wrong turn',
  targetState,
  ...changes,
});
export const aborting = (changes: Partial<AbortCommand> = {}): AbortCommand => ({
  type: 'abort',
  actor: 'ann',
  opId: null,
  reason: 'not needed any more',
  ...changes,
});

/** Applies a command that must be accepted, one second after the build's last change. */
export function apply(build: Build, command: Command): Applied {
  const applied = applyCommand(build, command, build.updatedAtMs + 1000);
  if (!applied.ok) throw new Error(`${command.type} was refused: ${applied.refusal.code}: ${applied.refusal.message}`);
  return applied;
}

export function refusalOf(build: Build, command: Command): Refusal {
  const applied = applyCommand(build, command, build.updatedAtMs + 1000);
  if (applied.ok) throw new Error(`${command.type} was accepted: ${stateOf(applied.build.position)}`);
  return applied.refusal;
}

export type Played = Readonly<{ build: Build; rows: readonly AuditRow[] }>;

/** Applies commands that must be accepted, and gathers their rows. */
export function play(from: Build, ...commands: readonly Command[]): Played {
  return commands.reduce<Played>(
    ({ build, rows }, command) => {
      const applied = apply(build, command);
      return { build: applied.build, rows: [...rows, ...applied.rows] };
    },
    { build: from, rows: [] },
  );
}

/** What comes of the work beside the phases that a build asks for, when all goes well; null when it asks for none. */
export function sideWork(build: Build): WorkCommand | null {
  const asked = nextWork(build);
  // As in git, the same content on the same commit is the same commit.
  const commit = commitOf(fingerprint([asked.kind, build.head?.commit ?? null]));
  switch (asked.kind) {
    case 'open_source':
      return { type: 'source_opened', commit, work: { activeMs: 10, calls: [] } };
    case 'commit_files':
      return { type: 'files_committed', pending: asked.pending, commit };
    case 'undo_release': {
      const undone = asked.attempts.map((attempt) => ({ attempt, version: '1.0.0', tag: `release/1.0.0-a${attempt}` }));
      return { type: 'release_undone', attempts: asked.attempts, undone };
    }
    default:
      return null;
  }
}

/** The build after the work beside its phases. */
export function settled(build: Build): Build {
  const command = sideWork(build);
  return command === null ? build : settled(apply(build, command).build);
}

/** The command with which the build goes on as it should: its driver hands on a passing result. */
export function natural(build: Build): Command {
  const beside = sideWork(build);
  if (beside !== null) return beside;
  const { position } = build;
  if (position.status === 'error') return retrying('go on');
  if (position.status !== 'in_progress') throw new Error('the build is over');
  if (build.gate.kind === 'running') return measured(true, 95);
  const { state } = position;
  if (!isExternal(build.spec, actingRole(state))) return completing(RESULTS[phaseAt(state)]);
  return advancing(actingRole(state), state, isPhase(state) ? RESULTS[state] : {});
}

/** Goes on naturally until the build stands in a state. */
export function reach(from: Build, state: State): Played {
  let played: Played = { build: from, rows: [] };
  for (let steps = 0; stateOf(played.build.position) !== state || sideWork(played.build) !== null; steps++) {
    if (steps > 30) throw new Error(`${state} is not reached`);
    const next = play(played.build, natural(played.build));
    played = { build: next.build, rows: [...played.rows, ...next.rows] };
  }
  return played;
}

export const buildIn = (state: State, from: Build = start()): Build => reach(from, state).build;
export const parkedIn = (state: OpenState, from: Build = start()): Build => apply(buildIn(state, from), failing).build;

/** Lets a phase reject until the build parks at the limit. */
export function parkedAtLimit(phase: 'testing' | 'verification', from: Build = start()): Build {
  let build = buildIn(phase, from);
  while (build.position.status === 'in_progress') {
    const { externalRoles } = build.spec;
    const owner = STATE_TABLE[phase].owner;
    const data = { ...FAILING[phase], reason: `reject ${(build.sendBacks[phase] ?? 0) + 1}` };
    const reject = externalRoles.includes(owner) ? advancing(owner, phase, data) : completing(data);
    build = apply(build, reject).build;
    if (build.position.status === 'in_progress') build = buildIn(phase, build);
  }
  return build;
}

export const typesOf = (rows: readonly AuditRow[]): string[] => rows.map(({ type }) => type);
export const handoffsOf = (rows: readonly AuditRow[]): string[] =>
  rows.flatMap(({ handoff }) => (handoff ? [`${handoff.fromState}→${handoff.toState}`] : []));
