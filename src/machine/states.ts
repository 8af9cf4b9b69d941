/** The six pieces of work, in order. */
export const PHASES = ['discovery', 'planning', 'implementation', 'testing', 'verification', 'deployment'] as const;
export type Phase = (typeof PHASES)[number];

/** Where a completed phase waits for the next role to acknowledge. */
export const HANDOFFS = [
  'handoff_to_coder',
  'handoff_to_tester',
  'handoff_to_verifier',
  'handoff_to_releaser',
] as const;
export type HandoffState = (typeof HANDOFFS)[number];

export const ROLES = [
  'q_assistant',
  'code_writer',
  'test_auditor',
  'verification_overseer',
  'release_manager',
] as const;
export type Role = (typeof ROLES)[number];

/** The states in which a build can be worked on: all but `complete` and `error`. */
export type OpenState = Phase | HandoffState;
export type State = OpenState | 'complete' | 'error';

type StateFacts = Readonly<
  | { kind: 'phase'; owner: Role; forward: State; before: Phase | null; rejectsTo: Phase | null; task: string }
  | { kind: 'handoff'; owner: Role; receiver: Role; forward: Phase; before: Phase; task: string }
  | { kind: 'complete'; owner: Role; task: string }
>;

/**
 * The machine's one table, in order. `owner` is the contract's current_role; `receiver` acknowledges a handoff;
 * `before` is where retry sends the work; `rejectsTo` is where a failing verdict sends it.
 */
export const STATE_TABLE = {
  discovery: {
    kind: 'phase',
    owner: 'q_assistant',
    forward: 'planning',
    before: null,
    rejectsTo: null,
    task: 'Find out what the requirements ask for and how success is told',
  },
  planning: {
    kind: 'phase',
    owner: 'q_assistant',
    forward: 'handoff_to_coder',
    before: 'discovery',
    rejectsTo: null,
    task: 'Plan the components, the tests and the success criteria',
  },
  handoff_to_coder: {
    kind: 'handoff',
    owner: 'q_assistant',
    receiver: 'code_writer',
    forward: 'implementation',
    before: 'planning',
    task: 'Acknowledge the plan',
  },
  implementation: {
    kind: 'phase',
    owner: 'code_writer',
    forward: 'handoff_to_tester',
    before: 'planning',
    rejectsTo: null,
    task: 'Write the code and its tests',
  },
  handoff_to_tester: {
    kind: 'handoff',
    owner: 'code_writer',
    receiver: 'test_auditor',
    forward: 'testing',
    before: 'implementation',
    task: 'Acknowledge the code',
  },
  testing: {
    kind: 'phase',
    owner: 'test_auditor',
    forward: 'handoff_to_verifier',
    before: 'implementation',
    rejectsTo: 'implementation',
    task: 'Test the code and judge the result',
  },
  handoff_to_verifier: {
    kind: 'handoff',
    owner: 'test_auditor',
    receiver: 'verification_overseer',
    forward: 'verification',
    before: 'testing',
    task: 'Acknowledge the test results',
  },
  verification: {
    kind: 'phase',
    owner: 'verification_overseer',
    forward: 'handoff_to_releaser',
    before: 'implementation',
    rejectsTo: 'implementation',
    task: 'Check every success criterion against evidence and approve or reject',
  },
  handoff_to_releaser: {
    kind: 'handoff',
    owner: 'verification_overseer',
    receiver: 'release_manager',
    forward: 'deployment',
    before: 'verification',
    task: 'Acknowledge the approval',
  },
  deployment: {
    kind: 'phase',
    owner: 'release_manager',
    forward: 'complete',
    before: 'verification',
    rejectsTo: null,
    task: 'Release the software',
  },
  complete: { kind: 'complete', owner: 'release_manager', task: 'Nothing: the build is complete' },
} as const satisfies Record<Exclude<State, 'error'>, StateFacts>;

/** The eleven states in order, then `error`, where a build parks. */
export const STATES = [...(Object.keys(STATE_TABLE) as Exclude<State, 'error'>[]), 'error'] as const;

export type Transition = Readonly<{ from: State; to: State; kind: 'forward' | 'send_back' | 'park' | 'resume' }>;

const isOpen = (state: State): state is OpenState => state !== 'complete' && state !== 'error';

/** Exactly the 28 transitions of the contract, derived from the table. */
export const TRANSITIONS: readonly Transition[] = [
  ...STATES.filter(isOpen).map((from): Transition => ({ from, to: STATE_TABLE[from].forward, kind: 'forward' })),
  ...PHASES.flatMap((from): Transition[] => {
    const to = STATE_TABLE[from].rejectsTo;
    return to === null ? [] : [{ from, to, kind: 'send_back' }];
  }),
  ...STATES.filter(isOpen).map((from): Transition => ({ from, to: 'error', kind: 'park' })),
  ...PHASES.map((to): Transition => ({ from: 'error', to, kind: 'resume' })),
];

export function isPhase(state: State): state is Phase {
  return (PHASES as readonly string[]).includes(state);
}

export function isHandoff(state: State): state is HandoffState {
  return (HANDOFFS as readonly string[]).includes(state);
}

/** The phase a person would take over now: the phase itself, or in a handoff state the receiver's. */
export function phaseAt(state: OpenState): Phase {
  return isHandoff(state) ? STATE_TABLE[state].forward : state;
}

/** The role that may advance in this state: a phase's owner, a handoff's receiver. */
export function actingRole(state: OpenState): Role {
  return isHandoff(state) ? STATE_TABLE[state].receiver : STATE_TABLE[state].owner;
}

/** The contract's next_role: who acts next, null where nobody does. */
export function nextRole(state: State): Role | null {
  return isOpen(state) ? actingRole(state) : null;
}

/** Place of a phase in the order, 0 to 5. */
export const phaseIndex = (phase: Phase): number => PHASES.indexOf(phase);

/** Reads a state by its wire name in either case; null when it is none. */
export function readState(value: unknown): State | null {
  const name = typeof value === 'string' ? value.toLowerCase() : '';
  return STATES.find((state) => state === name) ?? null;
}

/** Reads a role by its wire name in either case; null when it is none. */
export function readRole(value: unknown): Role | null {
  const name = typeof value === 'string' ? value.toLowerCase() : '';
  return ROLES.find((role) => role === name) ?? null;
}
