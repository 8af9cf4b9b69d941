import { applyCommand } from '../../src/machine/apply.ts';
import { type Build, completedPhases, stateOf } from '../../src/machine/build.ts';
import type { Command } from '../../src/machine/commands.ts';
import type { AuditRow, EventType } from '../../src/machine/events.ts';
import { HANDOFFS, PHASES, STATE_TABLE } from '../../src/machine/states.ts';
import {
  aborting,
  advancing,
  apply,
  buildIn,
  completing,
  failing,
  implementing,
  measured,
  parkedAtLimit,
  parkedIn,
  RESULTS,
  retrying,
  rollingBack,
  start,
  startExternal,
  timingOut,
} from './sample-builds.ts';

/** One letter for each event, so that a table of hundreds of cells can be read. */
export const LETTERS: Record<EventType, string> = {
  build_started: 'N',
  phase_started: 'S',
  phase_completed: 'C',
  handoff_acknowledged: 'A',
  sent_back: 'B',
  retry_requested: 'R',
  rolled_back: 'X',
  preempted: 'P',
  late_result: 'L',
  parked: 'K',
  resumed: 'U',
  completed: 'D',
  aborted: 'Z',
  signal_rejected: 'J',
  source_opened: 'O',
  files_committed: 'F',
  release_undone: 'V',
};

const OPEN = [...PHASES, ...HANDOFFS];

const startedBuilds = (): [string, Build][] => {
  const complete = buildIn('complete');
  const inError = PHASES.map((phase): [string, Build] => [`llm error<${phase}`, parkedIn(phase)]);
  const runnable = apply(buildIn('implementation', start({ externalRoles: ['test_auditor'] })), implementing()).build;
  return [
    ...PHASES.map((phase): [string, Build] => [`llm ${phase}`, buildIn(phase)]),
    ['llm complete', complete],
    ...inError,
    ['llm error<testing limit', parkedAtLimit('testing')],
    ['llm error<verification limit', parkedAtLimit('verification')],
    ['llm cancelled in planning', apply(buildIn('planning'), aborting()).build],
    ['llm cancelled in error', apply(parkedIn('planning'), aborting()).build],
    ...OPEN.map((state): [string, Build] => [`external ${state}`, buildIn(state, startExternal())]),
    ['external complete', buildIn('complete', startExternal())],
    ...OPEN.map((state): [string, Build] => [`external error<${state}`, parkedIn(state, startExternal())]),
    ['external cancelled in handoff_to_tester', apply(buildIn('handoff_to_tester', startExternal()), aborting()).build],
    ['gate running in handoff_to_tester', runnable],
    ['gate running in testing', apply(runnable, advancing('test_auditor', 'handoff_to_tester')).build],
  ];
};

/** Every state in which a command can find a build, by how it is driven and how it got there. */
export const BUILDS = new Map(startedBuilds());

/** The state as an advance would name it: in error and after the end the one that was open last. */
function openStateOf(build: Build): (typeof OPEN)[number] {
  let position = build.position;
  if (position.status === 'cancelled') position = position.was;
  if (position.status === 'error') return position.failedIn;
  return position.status === 'in_progress' ? position.state : 'deployment';
}

const COMMANDS_OF: Record<string, (build: Build) => Command> = {
  advance: (build) => {
    const state = openStateOf(build);
    const facts = STATE_TABLE[state];
    return facts.kind === 'handoff'
      ? advancing(facts.receiver, state)
      : advancing(facts.owner, state, RESULTS[state as keyof typeof RESULTS]);
  },
  'from handoff': (build) => {
    const facts = STATE_TABLE[openStateOf(build)];
    const phase = facts.kind === 'handoff' ? facts.forward : 'deployment';
    return advancing(STATE_TABLE[phase].owner, phase, RESULTS[phase]);
  },
  'wrong role': (build) => {
    const state = openStateOf(build);
    const role = STATE_TABLE[state].owner === 'q_assistant' ? 'release_manager' : 'q_assistant';
    return advancing(role, state, state in RESULTS ? RESULTS[state as keyof typeof RESULTS] : {});
  },
  'wrong state': (build) => {
    const state = openStateOf(build);
    const facts = STATE_TABLE[state];
    const other = state === 'discovery' ? 'planning' : 'discovery';
    return advancing(facts.kind === 'handoff' ? facts.receiver : facts.owner, other, RESULTS[other]);
  },
  retry: () => retrying(),
  ...Object.fromEntries(PHASES.map((phase) => [`to ${phase}`, () => rollingBack(phase)])),
  abort: () => aborting(),
  complete_phase: (build) => {
    const state = openStateOf(build);
    return completing(state in RESULTS ? RESULTS[state as keyof typeof RESULTS] : {});
  },
  fail: () => failing,
  time_out: () => timingOut,
  measured: () => measured(true, 90),
  late_result: () => ({ type: 'record_late_result', phase: 'planning', attempt: 1 }),
  reject_signal: () => ({ type: 'reject_signal', signal: 'retry', code: 'invalid_body', reason: 'no object' }),
};

export const COLUMNS = Object.keys(COMMANDS_OF);

export function commandFor(column: string, build: Build): Command {
  const make = COMMANDS_OF[column];
  if (!make) throw new Error(`no command is called ${column}`);
  return make(build);
}

const rowText = (row: AuditRow): string => `${LETTERS[row.type]}${row.handoff ? '+' : ''}`;

/** `state:letters/completed`, a plus where the row before it has a handoff; or `!code` of the refusal. */
export function cellOf(column: string, build: Build): string {
  const applied = applyCommand(build, commandFor(column, build), build.updatedAtMs + 1000);
  if (!applied.ok) return `!${applied.refusal.code}`;
  const { build: next, rows } = applied;
  return `${stateOf(next.position)}:${rows.map(rowText).join('')}/${completedPhases(next).length}`;
}
