import { describe, expect, it } from 'vitest';
import { completedPhases, stateOf } from '../../src/machine/build.ts';
import { PHASES } from '../../src/machine/states.ts';
import {
  advancing,
  apply,
  buildIn,
  commitOf,
  completing,
  FAILING,
  failing,
  implementing,
  measured,
  parkedAtLimit,
  parkedIn,
  play,
  RESULTS,
  reach,
  refusalOf,
  retrying,
  rollingBack,
  start,
  startExternal,
  timingOut,
  WORK,
} from './sample-builds.ts';

describe('retry', () => {
  it.each([
    ['planning', 'discovery'],
    ['implementation', 'planning'],
    ['testing', 'implementation'],
    ['verification', 'implementation'],
    ['deployment', 'verification'],
    ['handoff_to_coder', 'planning'],
    ['handoff_to_tester', 'implementation'],
    ['handoff_to_verifier', 'testing'],
    ['handoff_to_releaser', 'verification'],
  ] as const)('from %s sends the work back to %s', (state, target) => {
    const { build, outcome } = apply(buildIn(state, startExternal()), retrying());
    expect(outcome).toMatchObject({ previousState: state, newState: target });
    expect(completedPhases(build)).toEqual(PHASES.slice(0, PHASES.indexOf(target)));
  });

  it('in discovery is refused: nothing stands before it', () => {
    expect(refusalOf(start(), retrying()).code).toBe('nothing_before');
  });

  it.each(PHASES)('from an error in %s goes to the phase that failed', (phase) => {
    expect(stateOf(apply(parkedIn(phase), retrying()).build.position)).toBe(phase);
  });

  it.each([
    ['handoff_to_coder', 'implementation'],
    ['handoff_to_tester', 'testing'],
    ['handoff_to_verifier', 'verification'],
    ['handoff_to_releaser', 'deployment'],
  ] as const)("from an error in %s goes to the receiver's phase", (state, target) => {
    expect(stateOf(apply(parkedIn(state, startExternal()), retrying()).build.position)).toBe(target);
  });

  it('records from, to, actor and reason, and resumed where the build was parked', () => {
    const { rows } = apply(parkedIn('planning'), retrying('the quota is back', { actor: 'bob' }));
    expect(rows[0]).toMatchObject({
      type: 'retry_requested',
      data: { from: 'error', to: 'planning', actor: 'bob', reason: 'the quota is back' },
    });
    expect(rows[1]).toMatchObject({ type: 'resumed', data: { from: 'error', to: 'planning', actor: 'bob' } });
  });

  it('puts its reason and the rejected results into the next attempt, and keeps the tree', () => {
    const { build } = play(
      buildIn('implementation'),
      completing(RESULTS.implementation, { commit: commitOf('a') }),
      retrying('no empty titles'),
    );
    expect(build.feedback).toEqual([
      {
        kind: 'retry',
        from: 'testing',
        to: 'implementation',
        until: 'testing',
        attempt: 1,
        reason: 'no empty titles',
        rejected: [{ phase: 'implementation', data: RESULTS.implementation, full: null }],
      },
    ]);
    expect(build.head).toMatchObject(commitOf('a'));
    expect(build.conversation).toHaveLength(3);
  });

  it('from a handoff state names the attempt that was completed', () => {
    const { build } = apply(buildIn('handoff_to_tester', startExternal()), retrying());
    expect(build.feedback[0]).toMatchObject({ from: 'handoff_to_tester', until: 'testing', attempt: 1 });
  });
});

describe('feedback', () => {
  it('is shown until the phase that asked for it completes, and no longer', () => {
    const sent = apply(buildIn('testing'), completing(FAILING.testing)).build;
    expect(sent.feedback[0]).toMatchObject({ kind: 'sent_back', from: 'testing', to: 'implementation', attempt: 1 });
    expect(sent.feedback[0]?.rejected.map(({ phase, data }) => [phase, data])).toEqual([
      ['implementation', RESULTS.implementation],
      ['testing', FAILING.testing],
    ]);
    const again = apply(sent, completing(RESULTS.implementation)).build;
    expect(again.feedback).toHaveLength(1);
    expect(apply(again, completing(RESULTS.testing)).build.feedback).toEqual([]);
  });

  it('carries rejected results once, those of the newest reject, and survives a parking between', () => {
    const { build } = play(
      buildIn('testing'),
      completing(FAILING.testing),
      completing(RESULTS.implementation),
      completing(FAILING.testing),
      failing,
      retrying('the provider is back'),
    );
    expect(build.feedback.map(({ kind, rejected }) => [kind, rejected.length])).toEqual([
      ['sent_back', 0],
      ['sent_back', 2],
      ['retry', 0],
    ]);
  });

  it('keeps the newest reasons that fit, however many there were', () => {
    let build = buildIn('testing', start({ maxSendBacks: 100 }));
    for (let n = 1; n <= 40; n++) {
      const reject = completing({ ...FAILING.testing, reason: `reject ${n} ${'x'.repeat(900)}` });
      build = play(build, reject, completing(RESULTS.implementation)).build;
    }
    expect(build.feedback.length).toBeGreaterThan(8);
    expect(JSON.stringify(build.feedback).length).toBeLessThan(16_000);
    expect(build.feedback.at(-1)?.reason).toContain('reject 40 ');
  });
});

describe('retry and rollback', () => {
  const tired = play(
    buildIn('testing'),
    completing(FAILING.testing),
    completing(RESULTS.implementation),
    completing(RESULTS.testing),
    completing(FAILING.verification),
    completing(RESULTS.implementation),
  ).build;

  it.each([retrying(), rollingBack('testing'), rollingBack('discovery')])(
    'set all counters and the active time to zero ($type)',
    (command) => {
      expect(tired.sendBacks).toEqual({ testing: 1, verification: 1 });
      expect(tired.activeMs).toBeGreaterThan(0);
      const { build } = apply(tired, command);
      expect(build.sendBacks).toEqual({});
      expect(build.activeMs).toBe(0);
      expect(build.tokens).toBe(tired.tokens);
    },
  );

  it('give a build that ran out of time its time anew', () => {
    const { build } = play(tired, timingOut, retrying());
    expect(build.activeMs).toBe(0);
    expect(build.position).toEqual({ status: 'in_progress', state: 'testing' });
  });

  it('never take attempt numbers back', () => {
    const { build } = play(tired, rollingBack('discovery'), completing(RESULTS.discovery), retrying());
    expect(build.attempts).toEqual({
      ...tired.attempts,
      discovery: tired.attempts.discovery + 2,
      planning: tired.attempts.planning + 1,
    });
  });

  it('are refused elsewhere than in the expected state', () => {
    expect(refusalOf(tired, retrying('r', { expectedState: 'verification' })).code).toBe('wrong_state');
    expect(refusalOf(tired, rollingBack('planning', { expectedState: 'error' })).code).toBe('wrong_state');
    expect(apply(tired, retrying('r', { expectedState: 'testing' })).outcome.newState).toBe('implementation');
  });
});

describe('rollback', () => {
  it('restores results, conversation and tree to just before the first attempt of the phase', () => {
    const testing = play(
      buildIn('implementation'),
      completing(RESULTS.implementation, { commit: commitOf('a') }),
      completing(FAILING.testing, { commit: commitOf('b') }),
      completing(RESULTS.implementation, { commit: commitOf('c') }),
    ).build;
    const later = play(testing, completing(RESULTS.testing, { commit: commitOf('d') }), failing).build;
    expect(later.head).toMatchObject(commitOf('d'));
    const { build } = apply(later, rollingBack('testing'));
    expect(build.results).toEqual(testing.results);
    expect(build.conversation).toEqual(testing.conversation);
    expect(build.head).toMatchObject(commitOf('c'));
    const earliest = apply(later, rollingBack('implementation')).build;
    expect(earliest.head).toBeNull();
    expect(earliest.conversation.map(({ phase }) => phase)).toEqual(['discovery', 'planning']);
  });

  it('goes to before the first attempt, not the last, where the phase before did not complete again', () => {
    const deployed = buildIn('deployment');
    const again = play(deployed, retrying(), completing(RESULTS.verification), retrying()).build;
    const { build } = apply(again, rollingBack('verification'));
    expect(build.conversation.map(({ phase }) => phase)).toEqual([
      'discovery',
      'planning',
      'implementation',
      'testing',
    ]);
  });

  it('keeps the reasons that the phase had been given, and adds its own until the phase completes', () => {
    const fixed = play(
      buildIn('verification'),
      completing(FAILING.verification),
      completing(RESULTS.implementation),
    ).build;
    const rolled = apply(fixed, rollingBack('testing')).build;
    expect(rolled.feedback.map(({ kind, reason }) => [kind, reason])).toEqual([
      ['sent_back', 'verification did not approve: no evidence'],
      ['rollback', 'wrong turn'],
    ]);
    expect(apply(rolled, completing(RESULTS.testing)).build.feedback).toEqual(
      apply(fixed, completing(RESULTS.testing)).build.feedback,
    );
  });

  it('restores the tree also where the phase began by a retry from an error in its handoff state', () => {
    const spec = { externalRoles: ['test_auditor'] as const };
    const coded = play(
      buildIn('implementation', start(spec)),
      completing(RESULTS.implementation, { commit: commitOf('a') }),
      failing,
      retrying(),
    ).build;
    expect(stateOf(coded.position)).toBe('testing');
    const { build } = apply(coded, rollingBack('testing'));
    expect(build.head).toMatchObject(commitOf('a'));
    expect(build.conversation).toHaveLength(3);
  });

  it('from the error of too many rejects finds the results of the phases before', () => {
    const { build } = apply(parkedAtLimit('testing'), rollingBack('testing'));
    expect(completedPhases(build)).toEqual(['discovery', 'planning', 'implementation']);
  });

  it('records from, to, actor, reason and the commit of the tree', () => {
    const { rows } = apply(buildIn('testing'), rollingBack('planning', { actor: 'bob' }));
    expect(rows[0]).toMatchObject({
      type: 'rolled_back',
      data: { from: 'testing', to: 'planning', actor: 'bob', reason: 'wrong turn', commit: null },
    });
    expect(rows[0]?.handoff).toBeUndefined();
  });

  it('has the tests of a measured phase run anew', () => {
    const spec = { externalRoles: ['test_auditor'] as const };
    const { build } = play(
      buildIn('implementation', start(spec)),
      implementing(),
      advancing('test_auditor', 'handoff_to_tester'),
      measured(true, 90),
      rollingBack('testing'),
    );
    expect(build.gate).toEqual({ kind: 'running' });
  });

  it('leaves the audit alone: sequence numbers go on', () => {
    const { build, rows } = play(buildIn('testing'), rollingBack('discovery'));
    expect(rows[0]?.seq).toBe(buildIn('testing').seq + 1);
    expect(build.seq).toBe(rows.at(-1)?.seq);
  });
});

describe('the tree', () => {
  it('moves with results that have a commit and stays with those that have none', () => {
    const coded = apply(buildIn('implementation'), completing(RESULTS.implementation, { commit: commitOf('a') })).build;
    expect(apply(coded, completing(RESULTS.testing)).build.head).toMatchObject(commitOf('a'));
    expect(apply(coded, completing(FAILING.testing)).build.head).toMatchObject(commitOf('a'));
    expect(apply(coded, completing(FAILING.testing, { commit: commitOf('b') })).build.head).toMatchObject(
      commitOf('b'),
    );
  });
});

describe('active time', () => {
  it('is what phases report as worked, and nothing else', () => {
    const { build } = reach(start(), 'verification');
    expect(build.activeMs).toBe(4 * WORK.activeMs);
    const byPeople = reach(startExternal(), 'verification').build;
    expect(byPeople.activeMs).toBe(0);
  });
});
