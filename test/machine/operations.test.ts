import { describe, expect, it } from 'vitest';
import { applyCommand } from '../../src/machine/apply.ts';
import { type Build, OPERATION_LIMIT, stateOf } from '../../src/machine/build.ts';
import type { WorkCommand } from '../../src/machine/commands.ts';
import { HANDOFFS, PHASES } from '../../src/machine/states.ts';
import {
  aborting,
  advancing,
  apply,
  buildIn,
  completing,
  FAILING,
  failing,
  implementing,
  measured,
  parkedIn,
  play,
  RESULTS,
  refusalOf,
  retrying,
  rollingBack,
  start,
  startExternal,
  timingOut,
} from './sample-builds.ts';

describe('abort', () => {
  it.each([...PHASES, ...HANDOFFS])('ends a build in %s: the status is cancelled and the state stays', (state) => {
    for (const build of [buildIn(state, startExternal()), parkedIn(state, startExternal())]) {
      const before = stateOf(build.position);
      const applied = apply(build, aborting());
      expect(applied.build.position).toMatchObject({ status: 'cancelled', was: build.position });
      expect(stateOf(applied.build.position)).toBe(before);
      expect(applied.outcome).toMatchObject({ previousState: before, newState: before, status: 'cancelled' });
      expect(applied.rows).toMatchObject([{ type: 'aborted', data: { from: before, to: before, actor: 'ann' } }]);
    }
  });

  it('is refused in complete', () => {
    expect(refusalOf(buildIn('complete'), aborting()).code).toBe('build_over');
  });

  it('is refused elsewhere than in the expected state', () => {
    expect(refusalOf(buildIn('planning'), aborting({ expectedState: 'discovery' })).code).toBe('wrong_state');
    expect(apply(buildIn('planning'), aborting({ expectedState: 'planning' })).outcome.status).toBe('cancelled');
  });
});

describe('after the end', () => {
  const over = [buildIn('complete'), apply(buildIn('planning'), aborting()).build];

  it.each([
    advancing('release_manager', 'deployment', RESULTS.deployment),
    advancing('q_assistant', 'planning', {}),
    retrying(),
    rollingBack('discovery'),
    aborting(),
    completing(RESULTS.planning),
    failing,
    timingOut,
    measured(true, 90),
  ])('$type is refused: the build is over', (command) => {
    for (const build of over) expect(refusalOf(build, command).code).toBe('build_over');
  });

  it('a bad signal and a late result are still recorded', () => {
    for (const build of over) {
      const late: WorkCommand = { type: 'record_late_result', phase: 'deployment', attempt: 1 };
      expect(apply(build, late).rows).toMatchObject([{ type: 'late_result', by: 'system', data: { attempt: 1 } }]);
    }
  });
});

describe('an operation id', () => {
  const build = buildIn('testing');
  const first = apply(build, retrying('once', { opId: 'op-1' }));

  it('is carried out once: the repetition answers the same and changes nothing', () => {
    const repeated = applyCommand(first.build, retrying('once', { opId: 'op-1' }), 9e12);
    expect(repeated).toEqual({ ok: true, build: first.build, rows: [], outcome: first.outcome });
    expect(repeated.ok && repeated.build).toBe(first.build);
  });

  it('is remembered after the end too', () => {
    const ended = play(first.build, aborting({ opId: 'op-2' })).build;
    expect(apply(ended, aborting({ opId: 'op-2' })).outcome.status).toBe('cancelled');
    expect(apply(ended, retrying('once', { opId: 'op-1' })).outcome).toEqual(first.outcome);
  });

  it('of another operation is refused', () => {
    expect(refusalOf(first.build, rollingBack('planning', { opId: 'op-1' })).code).toBe('idempotency_key_reused');
  });

  it('of the same operation with other content is refused', () => {
    expect(refusalOf(first.build, retrying('twice', { opId: 'op-1' })).code).toBe('idempotency_key_reused');
  });

  describe('with a digest of what was asked for', () => {
    const outside = startExternal();
    const asked = { opId: 'op-1', opContent: 'asked' } as const;
    const first = apply(outside, advancing('q_assistant', 'discovery', RESULTS.discovery, asked));
    const later = advancing('q_assistant', 'planning', RESULTS.planning, asked);

    it('is repeated by the same digest, whatever else the command says by then', () => {
      const repeated = applyCommand(first.build, later, 9e12);
      expect(repeated).toEqual({ ok: true, build: first.build, rows: [], outcome: first.outcome });
    });

    it('is another operation with another digest, or without one', () => {
      for (const opContent of ['other', null]) {
        expect(refusalOf(first.build, { ...later, opContent }).code).toBe('idempotency_key_reused');
      }
    });
  });

  it('of a refused command is free', () => {
    const refused = applyCommand(start(), retrying('x', { opId: 'op-3' }), 1);
    expect(refused.ok).toBe(false);
    expect(apply(start(), rollingBack('discovery', { opId: 'op-3' })).build.operations).toHaveLength(1);
  });

  it('is remembered for the last 100 operations', () => {
    expect(OPERATION_LIMIT).toBe(100);
    let many = build;
    for (let n = 0; n <= 100; n++) many = apply(many, rollingBack('testing', { opId: `op-${n}` })).build;
    expect(many.operations).toHaveLength(100);
    expect(apply(many, rollingBack('testing', { opId: 'op-1' })).build).toBe(many);
    expect(apply(many, rollingBack('testing', { opId: 'op-0' })).build).not.toBe(many);
  });

  it('that is missing leaves two equal commands two operations', () => {
    const twice = play(build, rollingBack('testing'), rollingBack('testing')).build;
    expect(twice.attempts.testing).toBe(build.attempts.testing + 2);
    expect(twice.operations).toEqual([]);
  });
});

describe('the gate', () => {
  const atHandoff = (): Build =>
    apply(buildIn('implementation', start({ externalRoles: ['test_auditor'] })), implementing()).build;
  const advance = (data: unknown = RESULTS.testing) => advancing('test_auditor', 'testing', data);

  it('runs from the handoff on where an external tester judges files that can be run', () => {
    expect(atHandoff().gate).toEqual({ kind: 'running' });
    const { build } = apply(atHandoff(), advancing('test_auditor', 'handoff_to_tester'));
    expect(build.gate).toEqual({ kind: 'running' });
    expect(refusalOf(build, advance()).code).toBe('gate_running');
    expect(refusalOf(atHandoff(), advance()).code).toBe('gate_running');
  });

  it('once measured overrides the claim: nobody passes a failed measurement', () => {
    const failed = apply(atHandoff(), measured(false, 95)).build;
    const { rows } = apply(failed, advance());
    expect(rows.find(({ type }) => type === 'sent_back')).toMatchObject({
      data: { reason: 'tests failed: 1 of 9 failed: empty title' },
      handoff: { data: { all_tests_passed: false, test_coverage: 95, measured: true } },
    });
    const thin = apply(atHandoff(), measured(true, 12)).build;
    expect(apply(thin, advance()).outcome.newState).toBe('implementation');
  });

  it('once measured as passed lets a pass through with the measured coverage, and a reject stay a reject', () => {
    const passed = apply(atHandoff(), measured(true, 88)).build;
    const { build } = apply(passed, advance());
    expect(build.results.testing?.data).toMatchObject({ all_tests_passed: true, test_coverage: 88, measured: true });
    expect(apply(passed, advance(FAILING.testing)).outcome.newState).toBe('implementation');
  });

  it('stays measured when the tester acknowledges the handoff afterwards', () => {
    const { build } = play(atHandoff(), measured(true, 88), advancing('test_auditor', 'handoff_to_tester'));
    expect(build.gate).toMatchObject({ kind: 'measured', measurement: { coverage: 88 } });
    expect(apply(build, advance()).outcome.newState).toBe('handoff_to_verifier');
  });

  it('takes the claim where nothing can be run, and says so', () => {
    const { build } = apply(buildIn('testing', startExternal()), advance());
    expect(build.results.testing?.data).toMatchObject({ measured: false, test_coverage: 92 });
    const claimed = apply(buildIn('testing', startExternal()), advance({ ...RESULTS.testing, measured: true }));
    expect(claimed.build.results.testing?.data.measured).toBe(false);
  });

  it('is measured anew for each implementation', () => {
    const { build } = play(atHandoff(), measured(false, 95), advance());
    expect(build.gate).toEqual({ kind: 'none' });
    const again = apply(build, implementing('b')).build;
    expect(again.gate).toEqual({ kind: 'running' });
  });

  it('closes testing to pre-emption while a model measures there itself', () => {
    const build = apply(buildIn('implementation'), implementing()).build;
    expect(build.gate).toEqual({ kind: 'none' });
    expect(refusalOf(build, advance()).code).toBe('gate_running');
    expect(apply(build, completing(RESULTS.testing)).outcome.newState).toBe('handoff_to_verifier');
  });

  it('does not run in error', () => {
    expect(apply(atHandoff(), failing).build.gate).toEqual({ kind: 'none' });
  });
});

describe('what is only recorded', () => {
  it('adds its event and touches nothing else, not even the time of the last change', () => {
    const build = buildIn('planning');
    const junk: WorkCommand = { type: 'reject_signal', signal: 'retry', code: 'wrong_state', reason: 'late' };
    const applied = applyCommand(build, junk, build.updatedAtMs + 5000);
    if (!applied.ok) throw new Error('refused');
    expect(applied.build).toEqual({ ...build, seq: build.seq + 1 });
    expect(applied.rows).toEqual([
      {
        seq: build.seq + 1,
        atMs: build.updatedAtMs + 5000,
        type: 'signal_rejected',
        by: 'operator',
        data: { signal: 'retry', code: 'wrong_state', reason: 'late', actor: 'operator' },
      },
    ]);
  });

  it('is made storable: a row that the mirror refuses would hold up all later ones', () => {
    const reason = `\0${'x'.repeat(998)}😀 and \uD800 more`;
    const { rows } = apply(start(), { type: 'reject_signal', signal: `a\0${'😀'.repeat(80)}`, code: 'c', reason });
    const parked = apply(start(), { type: 'fail', code: 'model_failed', reason, work: { activeMs: 0, calls: [] } });
    // JSON escapes NUL and half a surrogate pair, and nothing else of the kind.
    expect(JSON.stringify([rows, parked.rows, parked.build.position])).not.toMatch(/\\u0000|\\ud[89a-f]/i);
    expect(String(rows[0]?.data.reason)).toHaveLength(999);
  });
});
