import { describe, expect, it } from 'vitest';
import { applyCommand } from '../../src/machine/apply.ts';
import { completedPhases, isExternal, type Outcome, stateOf } from '../../src/machine/build.ts';
import type { Applied } from '../../src/machine/commands.ts';
import { type AuditRow, EVENT_TYPES } from '../../src/machine/events.ts';
import { actingRole, HANDOFFS, isPhase, PHASES, STATE_TABLE, TRANSITIONS } from '../../src/machine/states.ts';
import {
  advancing,
  apply,
  buildIn,
  completing,
  FAILING,
  failing,
  handoffsOf,
  parkedIn,
  play,
  RESULTS,
  reach,
  refusalOf,
  retrying,
  settled,
  sideWork,
  start,
  startExternal,
  typesOf,
} from './sample-builds.ts';

const CLEAN_ROWS = [
  'discovery→planning',
  'planning→handoff_to_coder',
  'implementation→handoff_to_tester',
  'testing→handoff_to_verifier',
  'verification→handoff_to_releaser',
];

const led = ({ outcome }: Applied): Pick<Outcome, 'previousState' | 'newState'> => ({
  previousState: outcome.previousState,
  newState: outcome.newState,
});

describe('handoff states', () => {
  it('let an outside agent drive a build with ten calls', () => {
    let build = startExternal();
    const seen: string[] = [];
    while (build.position.status === 'in_progress') {
      const { state } = build.position;
      const applied = apply(build, advancing(actingRole(state), state, isPhase(state) ? RESULTS[state] : {}));
      seen.push(`${applied.outcome.previousState}→${applied.outcome.newState}`);
      build = settled(applied.build);
    }
    const forward = TRANSITIONS.filter(({ kind }) => kind === 'forward');
    expect(seen).toEqual(forward.map(({ from, to }) => `${from}→${to}`));
  });

  it('let an outside agent drive a build with six calls, and record the same events and handoffs', () => {
    const calls = PHASES.map((phase) => advancing(STATE_TABLE[phase].owner, phase, RESULTS[phase]));
    const six = calls.reduce(
      (played, call) => {
        const { build, rows } = play(played.build, call);
        const beside = sideWork(build);
        const after = beside === null ? { build, rows: [] } : apply(build, beside);
        return { build: after.build, rows: [...played.rows, ...rows, ...after.rows] };
      },
      { build: startExternal(), rows: [] as readonly AuditRow[] },
    );
    const ten = reach(startExternal(), 'complete');
    expect(stateOf(six.build.position)).toBe('complete');
    expect(typesOf(six.rows)).toEqual(typesOf(ten.rows));
    expect(handoffsOf(six.rows)).toEqual(handoffsOf(ten.rows));
    expect(six.build.results).toEqual(ten.build.results);
  });

  it('record both transitions when a phase is completed from the handoff state before it', () => {
    const applied = apply(
      buildIn('handoff_to_tester', startExternal()),
      advancing('test_auditor', 'testing', RESULTS.testing),
    );
    expect(applied.rows.map(({ type, data }) => [type, data.from, data.to])).toEqual([
      ['handoff_acknowledged', 'handoff_to_tester', 'testing'],
      ['phase_started', undefined, undefined],
      ['phase_completed', 'testing', 'handoff_to_verifier'],
    ]);
    expect(led(applied)).toEqual({ previousState: 'handoff_to_tester', newState: 'handoff_to_verifier' });
  });

  it('are acknowledged by a model at once, so that a build by models never rests in one', () => {
    let build = start();
    while (build.position.status === 'in_progress') {
      expect(HANDOFFS).not.toContain(build.position.state);
      build = apply(build, completing(RESULTS[build.position.state as keyof typeof RESULTS])).build;
    }
  });

  it.each(HANDOFFS)('%s waits for its external receiver, whoever came before', (handoff) => {
    const receiver = STATE_TABLE[handoff].receiver;
    const build = buildIn(handoff, start({ externalRoles: [receiver] }));
    expect(isExternal(build.spec, receiver)).toBe(true);
    const applied = apply(build, advancing(receiver, handoff));
    expect(led(applied)).toEqual({ previousState: handoff, newState: STATE_TABLE[handoff].forward });
    expect(applied.rows[0]).toMatchObject({ type: 'handoff_acknowledged', data: { actor: 'ann' } });
  });

  it('are acknowledged once: a repeated acknowledgement is refused', () => {
    const advance = advancing('code_writer', 'handoff_to_coder');
    const { build } = apply(buildIn('handoff_to_coder', startExternal()), advance);
    expect(refusalOf(build, advance).code).toBe('wrong_state');
  });
});

describe('previous_state and new_state', () => {
  it.each([
    ['discovery', 'planning', 'planning'],
    ['planning', 'handoff_to_coder', 'implementation'],
    ['implementation', 'handoff_to_tester', 'testing'],
    ['testing', 'handoff_to_verifier', 'verification'],
    ['verification', 'handoff_to_releaser', 'deployment'],
    ['deployment', 'complete', 'complete'],
  ] as const)(
    'of %s are told before the automatic acknowledgement: %s, though the build is then in %s',
    (...states) => {
      const [phase, told, then] = states;
      for (const command of [
        completing(RESULTS[phase]),
        advancing(STATE_TABLE[phase].owner, phase, RESULTS[phase]),
      ] as const) {
        const applied = apply(buildIn(phase), command);
        expect(led(applied)).toEqual({ previousState: phase, newState: told });
        expect(stateOf(applied.build.position)).toBe(then);
      }
    },
  );

  it('of a send-back, a parking, a retry and an abort are those of the command itself', () => {
    expect(led(apply(buildIn('testing'), completing(FAILING.testing)))).toEqual({
      previousState: 'testing',
      newState: 'implementation',
    });
    expect(led(apply(buildIn('planning'), failing))).toEqual({ previousState: 'planning', newState: 'error' });
    expect(led(apply(parkedIn('testing'), retrying()))).toEqual({ previousState: 'error', newState: 'testing' });
    expect(led(apply(parkedIn('testing'), { type: 'abort', actor: 'ann', opId: null, reason: 'enough' }))).toEqual({
      previousState: 'error',
      newState: 'error',
    });
  });
});

describe('who may advance', () => {
  it('is the owner of a phase and the receiver of a handoff', () => {
    const build = buildIn('handoff_to_verifier', startExternal());
    expect(refusalOf(build, advancing('test_auditor', 'handoff_to_verifier')).code).toBe('wrong_role');
    expect(apply(build, advancing('verification_overseer', 'handoff_to_verifier')).outcome.newState).toBe(
      'verification',
    );
  });

  it('includes a person for a role that a model drives: its call is pre-empted and recorded', () => {
    const build = buildIn('implementation');
    const applied = apply(build, advancing('code_writer', 'implementation', { code: 'x' }, { actor: 'bob' }));
    expect(applied.rows[0]).toMatchObject({
      type: 'preempted',
      by: 'operator',
      data: { phase: 'implementation', attempt: 1, role: 'code_writer', actor: 'bob' },
    });
    expect(applied.build.results.implementation).toMatchObject({ by: 'external', data: { code: 'x' } });
    expect(applied.build.epoch).toBeGreaterThan(build.epoch);
  });

  it('is nobody in error', () => {
    expect(refusalOf(parkedIn('planning'), advancing('q_assistant', 'planning', RESULTS.planning)).code).toBe(
      'wrong_state',
    );
  });

  it('does not pre-empt where the role is external anyway', () => {
    const { rows } = reach(startExternal(), 'complete');
    expect(typesOf(rows)).not.toContain('preempted');
  });
});

describe('handoff rows', () => {
  it('of a clean build are 5, by models and by people', () => {
    expect(handoffsOf(reach(start(), 'complete').rows)).toEqual(CLEAN_ROWS);
    expect(handoffsOf(reach(startExternal(), 'complete').rows)).toEqual(CLEAN_ROWS);
  });

  it('carry what the phase handed on, from its owner to who acts next', () => {
    const { rows } = apply(buildIn('planning'), completing(RESULTS.planning));
    expect(rows[0]?.handoff).toEqual({
      fromRole: 'q_assistant',
      toRole: 'code_writer',
      fromState: 'planning',
      toState: 'handoff_to_coder',
      data: RESULTS.planning,
      notes: null,
    });
  });

  it('show the reference to a result that is too large to travel', () => {
    const full = { sha256: 'b'.repeat(64), bytes: 9000, preview: '{"plan"' };
    const { rows } = apply(buildIn('planning'), completing({ reason: 'extract' }, { full }));
    expect(rows[0]?.handoff?.data).toEqual({ reason: 'extract', artifact: full });
  });

  it('are written by a send-back, with the reason as notes', () => {
    const { rows } = apply(buildIn('testing'), completing(FAILING.testing));
    expect(rows[0]).toMatchObject({
      type: 'sent_back',
      by: 'test_auditor',
      handoff: {
        fromRole: 'test_auditor',
        toRole: 'code_writer',
        fromState: 'testing',
        toState: 'implementation',
        data: FAILING.testing,
        notes: 'tests failed: 2 of 9 tests failed',
      },
    });
  });

  it('are written by a retry only where the role changes', () => {
    const across = apply(buildIn('implementation'), retrying('plan it again')).rows;
    expect(across[0]?.handoff).toMatchObject({
      fromRole: 'code_writer',
      toRole: 'q_assistant',
      notes: 'plan it again',
      data: RESULTS.planning,
    });
    expect(handoffsOf(apply(buildIn('planning'), retrying()).rows)).toEqual([]);
    expect(handoffsOf(apply(buildIn('handoff_to_tester', startExternal()), retrying()).rows)).toEqual([]);
  });

  it('answer as handoff_data: the outcome names the event that has the row', () => {
    const applied = apply(buildIn('planning'), completing(RESULTS.planning));
    expect(applied.outcome.handedOn).toBeNull();
    const advanced = apply(buildIn('planning'), advancing('q_assistant', 'planning', 'one function'));
    const named = advanced.rows.find(({ seq }) => seq === advanced.outcome.handedOn?.seq);
    expect(named).toMatchObject({ type: 'phase_completed', handoff: { data: { plan: 'one function' } } });
    expect(advanced.outcome.handedOn?.phase).toBe('planning');
    const rejected = apply(buildIn('testing'), advancing('test_auditor', 'testing', FAILING.testing));
    const row = rejected.rows.find(({ seq }) => seq === rejected.outcome.handedOn?.seq);
    expect(row?.handoff?.data).toMatchObject(FAILING.testing);
  });
});

describe('events', () => {
  it('start with build_started and the first phase', () => {
    const { rows } = reach(start(), 'complete');
    const first = applyCommand(start(), completing(RESULTS.discovery), 1);
    expect(first.ok && first.rows[0]?.seq).toBe(3);
    expect(typesOf(rows).at(-1)).toBe('completed');
  });

  it('have the names of the contract', () => {
    expect([...EVENT_TYPES].sort()).toEqual(
      (
        'build_started phase_started phase_completed handoff_acknowledged sent_back retry_requested rolled_back ' +
        'preempted late_result parked resumed completed aborted signal_rejected source_opened files_committed release_undone'
      )
        .split(' ')
        .sort(),
    );
  });

  it('number without gap from 1 and carry the calls of the model that led to them', () => {
    const { build, rows } = reach(start(), 'complete');
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 3));
    expect(build.seq).toBe(rows.length + 2);
    expect(rows.flatMap(({ calls }) => calls ?? [])).toHaveLength(6);
    expect(completedPhases(build)).toEqual(PHASES);
    expect(build.tokens).toBe(720);
    expect(build.activeMs).toBe(6000);
  });

  it('name the actor of a result that parks the build, and what a model cost', () => {
    const byPerson = apply(
      buildIn('deployment', startExternal()),
      advancing('release_manager', 'deployment', FAILING.deployment, { actor: 'bob' }),
    );
    expect(byPerson.rows.at(-1)).toMatchObject({ type: 'parked', data: { actor: 'bob', code: 'release_failed' } });
    const byModel = apply(buildIn('deployment'), completing(FAILING.deployment));
    expect(byModel.rows.at(-1)).toMatchObject({ type: 'parked', data: { model: 'gpt-4', tokens: 120 } });
    expect(byModel.rows.at(-1)?.calls).toHaveLength(1);
  });
});
