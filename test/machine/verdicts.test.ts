import { describe, expect, it } from 'vitest';
import { completedPhases, stateOf } from '../../src/machine/build.ts';
import { judge, saidReason } from '../../src/machine/verdict.ts';
import {
  advancing,
  apply,
  buildIn,
  call,
  completing,
  FAILING,
  handoffsOf,
  parkedAtLimit,
  play,
  RESULTS,
  refusalOf,
  retrying,
  rollingBack,
  specOf,
  start,
  startExternal,
  typesOf,
} from './sample-builds.ts';

const spec = specOf();

describe('verdicts', () => {
  it.each([
    ['tests failed', 'testing', { all_tests_passed: false, test_coverage: 99 }],
    ['the tests passed says nothing', 'testing', { test_coverage: 99 }],
    ['the word true is no true', 'testing', { all_tests_passed: 'true', test_coverage: 99 }],
    ['coverage is under the minimum', 'testing', { all_tests_passed: true, test_coverage: 79.9 }],
    ['coverage is missing', 'testing', { all_tests_passed: true }],
    ['coverage is no number', 'testing', { all_tests_passed: true, test_coverage: '95' }],
    ['coverage is a hostile object', 'testing', { all_tests_passed: true, test_coverage: { valueOf: 1, toString: 1 } }],
    ['verification did not approve', 'verification', { approved_for_deployment: false }],
    ['verification says nothing', 'verification', {}],
  ] as const)('reject when %s', (_, phase, data) => {
    expect(judge({ spec }, phase, data).kind).toBe('reject');
  });

  it.each([
    ['coverage at the minimum', 'testing', { all_tests_passed: true, test_coverage: 80 }],
    ['an approval', 'verification', { approved_for_deployment: true }],
    ['a release', 'deployment', { deployment_successful: true }],
    ['anything of a phase without a verdict', 'planning', { all_tests_passed: false, approved_for_deployment: false }],
  ] as const)('pass with %s', (_, phase, data) => {
    expect(judge({ spec }, phase, data).kind).toBe('pass');
  });

  it("use the build's own minimum of coverage", () => {
    const strict = { spec: specOf({ coverageMin: 95 }) };
    expect(judge(strict, 'testing', RESULTS.testing)).toEqual({
      kind: 'reject',
      reason: 'test coverage 92 % is under the minimum 95 %',
    });
  });

  it('give the most telling reason that the role filled', () => {
    expect(saidReason({ notes: 'n', failures: [], reasons: ['no tests', 'no docs'], reason: ' ' })).toBe(
      '["no tests","no docs"]',
    );
    expect(saidReason({ notes: 'the registry refused' })).toBe('the registry refused');
    expect(saidReason({ failures: null, verification_report: '' })).toBeNull();
  });

  it('cut a long reason without leaving half a character, which no row could store', () => {
    for (const length of [980, 981, 982, 983, 984, 985, 986, 987, 988, 2000]) {
      const verdict = judge({ spec }, 'testing', { reason: `${'x'.repeat(length)}${'😀'.repeat(600)}` });
      if (verdict.kind !== 'reject') throw new Error('passed');
      expect(verdict.reason.length).toBeLessThanOrEqual(1000);
      expect(verdict.reason).not.toMatch(/\p{Cs}/u);
    }
  });

  it('send the build back to implementation from testing and from verification, by models and by people', () => {
    for (const phase of ['testing', 'verification'] as const) {
      const byModel = apply(buildIn(phase), completing(FAILING[phase]));
      const role = phase === 'testing' ? 'test_auditor' : 'verification_overseer';
      const byPerson = apply(buildIn(phase, startExternal()), advancing(role, phase, FAILING[phase]));
      for (const { build, rows } of [byModel, byPerson]) {
        expect(typesOf(rows)).toEqual(['sent_back', 'phase_started']);
        expect(stateOf(build.position)).toBe('implementation');
        expect(build.attempts.implementation).toBe(2);
        expect(completedPhases(build)).toEqual(['discovery', 'planning']);
      }
    }
  });

  it('park the build when the release failed, with the notes as reason', () => {
    const { build } = apply(buildIn('deployment'), completing(FAILING.deployment));
    expect(build.position).toMatchObject({
      status: 'error',
      code: 'release_failed',
      failedIn: 'deployment',
      resumeAt: 'deployment',
      reason: 'the release failed: the registry refused',
    });
  });
});

describe('next_state', () => {
  const tester = buildIn('testing', startExternal());
  const advance = (data: object, nextState: 'implementation' | 'handoff_to_verifier' | 'error' | 'planning') =>
    advancing('test_auditor', 'testing', data, { nextState });

  it('implementation sends a passing result of testing or verification back', () => {
    expect(apply(tester, advance(RESULTS.testing, 'implementation')).rows[0]).toMatchObject({
      type: 'sent_back',
      data: { reason: 'sent back by the role' },
    });
    const verifier = buildIn('verification', startExternal());
    const asked = { ...RESULTS.verification, reason: 'the docs are thin' };
    const sent = apply(
      verifier,
      advancing('verification_overseer', 'verification', asked, { nextState: 'implementation' }),
    );
    expect(sent.rows[0]).toMatchObject({ data: { reason: 'sent back by the role: the docs are thin' } });
  });

  it('must otherwise be the state that the machine chooses', () => {
    expect(apply(tester, advance(RESULTS.testing, 'handoff_to_verifier')).outcome.newState).toBe('handoff_to_verifier');
    expect(apply(tester, advance(FAILING.testing, 'implementation')).outcome.newState).toBe('implementation');
    expect(refusalOf(tester, advance(FAILING.testing, 'handoff_to_verifier')).code).toBe('unexpected_next_state');
    expect(refusalOf(tester, advance(RESULTS.testing, 'planning')).code).toBe('unexpected_next_state');
    const handoff = buildIn('handoff_to_coder', startExternal());
    const wrong = advancing('code_writer', 'handoff_to_coder', {}, { nextState: 'testing' });
    expect(refusalOf(handoff, wrong).code).toBe('unexpected_next_state');
    expect(apply(handoff, { ...wrong, nextState: 'implementation' }).outcome.newState).toBe('implementation');
    const planning = buildIn('planning', startExternal());
    const back = advancing('q_assistant', 'planning', 'a plan', { nextState: 'implementation' });
    expect(refusalOf(planning, back).code).toBe('unexpected_next_state');
  });

  it('is held to that at the reject that parks, too', () => {
    const last = { ...tester, sendBacks: { testing: 3 } };
    expect(refusalOf(last, advance(FAILING.testing, 'handoff_to_verifier')).code).toBe('unexpected_next_state');
    for (const next of ['implementation', 'error'] as const) {
      expect(apply(last, advance(FAILING.testing, next)).outcome.newState).toBe('error');
    }
    expect(apply(last, advance(RESULTS.testing, 'implementation')).outcome.newState).toBe('error');
  });

  it('is judged after the result: a bad result is told first', () => {
    expect(refusalOf(tester, advance({}, 'planning')).code).toBe('invalid_phase_result');
  });
});

describe('send-backs', () => {
  it('are counted per rejecting phase', () => {
    const { build } = play(
      buildIn('testing'),
      completing(FAILING.testing),
      completing(RESULTS.implementation),
      completing(RESULTS.testing),
      completing(FAILING.verification),
    );
    expect(build.sendBacks).toEqual({ testing: 1, verification: 1 });
  });

  it.each(['testing', 'verification'] as const)(
    'of %s park the build at the fourth reject, with every reason kept',
    (phase) => {
      const build = parkedAtLimit(phase);
      expect(build.position).toMatchObject({ code: 'send_back_limit', failedIn: phase, resumeAt: 'implementation' });
      expect(build.attempts[phase]).toBe(4);
      const reasons = build.feedback.map(({ reason }) => reason);
      expect(reasons).toHaveLength(4);
      for (const [index, reason] of reasons.entries()) expect(reason).toContain(`reject ${index + 1}`);
    },
  );

  it('beyond none park at once where WORKFLOW_MAX_RETRIES is 0', () => {
    const { build } = apply(buildIn('testing', start({ maxSendBacks: 0 })), completing(FAILING.testing));
    expect(build.position).toMatchObject({ status: 'error', code: 'send_back_limit' });
  });

  it('over the limit write no handoff and leave the results for a rollback to the rejecting phase', () => {
    const parked = parkedAtLimit('verification');
    expect(completedPhases(parked)).toEqual(['discovery', 'planning', 'implementation', 'testing']);
    const { build } = apply(parked, rollingBack('verification'));
    expect(completedPhases(build)).toEqual(['discovery', 'planning', 'implementation', 'testing']);
    const last = buildIn('testing');
    const { rows } = apply({ ...last, sendBacks: { testing: 3 } }, completing(FAILING.testing));
    expect(handoffsOf(rows)).toEqual([]);
    expect(rows.at(-1)?.calls).toEqual([call()]);
  });

  it('after the limit go on in implementation by retry, with all reasons and the rejected results', () => {
    const { build } = apply(parkedAtLimit('testing'), retrying('mind the empty title'));
    expect(stateOf(build.position)).toBe('implementation');
    expect(build.feedback).toHaveLength(5);
    expect(build.feedback.at(-1)).toMatchObject({ kind: 'retry', reason: 'mind the empty title', until: 'testing' });
    expect(build.feedback.at(-1)?.rejected.map(({ phase }) => phase)).toEqual(['implementation', 'testing']);
    expect(completedPhases(build)).toEqual(['discovery', 'planning']);
    expect(build.sendBacks).toEqual({});
  });
});
