import { describe, expect, it } from 'vitest';
import {
  actingRole,
  HANDOFFS,
  nextRole,
  PHASES,
  ROLES,
  readRole,
  readState,
  STATE_TABLE,
  STATES,
  TRANSITIONS,
} from '../../src/machine/states.ts';

/** The contract's list, by hand: it must not be derived from the table that it checks. */
const CONTRACT = [
  'discovery→planning',
  'planning→handoff_to_coder',
  'handoff_to_coder→implementation',
  'implementation→handoff_to_tester',
  'handoff_to_tester→testing',
  'testing→handoff_to_verifier',
  'testing→implementation',
  'handoff_to_verifier→verification',
  'verification→handoff_to_releaser',
  'verification→implementation',
  'handoff_to_releaser→deployment',
  'deployment→complete',
  'discovery→error',
  'planning→error',
  'handoff_to_coder→error',
  'implementation→error',
  'handoff_to_tester→error',
  'testing→error',
  'handoff_to_verifier→error',
  'verification→error',
  'handoff_to_releaser→error',
  'deployment→error',
  'error→discovery',
  'error→planning',
  'error→implementation',
  'error→testing',
  'error→verification',
  'error→deployment',
];

const NAMES = [
  'discovery',
  'planning',
  'handoff_to_coder',
  'implementation',
  'handoff_to_tester',
  'testing',
  'handoff_to_verifier',
  'verification',
  'handoff_to_releaser',
  'deployment',
  'complete',
  'error',
];

const listed = TRANSITIONS.map(({ from, to }) => `${from}→${to}`);
const pairs = NAMES.flatMap((from) => NAMES.map((to) => `${from}→${to}`));

describe('the transitions', () => {
  it('are the 28 of the contract, each once', () => {
    expect(listed).toHaveLength(28);
    expect(new Set(listed).size).toBe(28);
    expect([...listed].sort()).toEqual([...CONTRACT].sort());
  });

  it('are judged over all 144 pairs of states', () => {
    expect(pairs).toHaveLength(144);
  });

  it.each(pairs)('%s is allowed exactly if the contract lists it', (pair) => {
    expect(listed.includes(pair)).toBe(CONTRACT.includes(pair));
  });

  it('are 10 forward, 2 sent back, 10 into error and 6 out of it', () => {
    const count = (kind: string): number => TRANSITIONS.filter((transition) => transition.kind === kind).length;
    expect(['forward', 'send_back', 'park', 'resume'].map(count)).toEqual([10, 2, 10, 6]);
  });
});

describe('states and roles', () => {
  it('have the names and the order of the contract', () => {
    expect(STATES).toEqual(NAMES);
    expect([...PHASES, ...HANDOFFS, 'complete', 'error'].sort()).toEqual([...NAMES].sort());
    expect(ROLES).toEqual(['q_assistant', 'code_writer', 'test_auditor', 'verification_overseer', 'release_manager']);
  });

  it.each([
    ['discovery', 'q_assistant', 'q_assistant'],
    ['planning', 'q_assistant', 'q_assistant'],
    ['handoff_to_coder', 'q_assistant', 'code_writer'],
    ['implementation', 'code_writer', 'code_writer'],
    ['handoff_to_tester', 'code_writer', 'test_auditor'],
    ['testing', 'test_auditor', 'test_auditor'],
    ['handoff_to_verifier', 'test_auditor', 'verification_overseer'],
    ['verification', 'verification_overseer', 'verification_overseer'],
    ['handoff_to_releaser', 'verification_overseer', 'release_manager'],
    ['deployment', 'release_manager', 'release_manager'],
  ] as const)('%s is owned by %s and %s acts next', (state, owner, next) => {
    expect(STATE_TABLE[state].owner).toBe(owner);
    expect(actingRole(state)).toBe(next);
    expect(nextRole(state)).toBe(next);
  });

  it('have no next role in complete and in error', () => {
    expect(nextRole('complete')).toBeNull();
    expect(nextRole('error')).toBeNull();
    expect(STATE_TABLE.complete.owner).toBe('release_manager');
  });

  it('are read in either case, and nothing else is', () => {
    expect(readState('DISCOVERY')).toBe('discovery');
    expect(readState('Handoff_To_Coder')).toBe('handoff_to_coder');
    expect(readState('ERROR')).toBe('error');
    expect(readRole('Q_ASSISTANT')).toBe('q_assistant');
    expect(readRole('release_manager')).toBe('release_manager');
    for (const other of [
      '',
      ' discovery',
      'discover',
      'toString',
      '__proto__',
      null,
      undefined,
      3,
      {},
      ['discovery'],
    ]) {
      expect(readState(other)).toBeNull();
      expect(readRole(other)).toBeNull();
    }
  });
});
