import { describe, expect, it } from 'vitest';
import { type Position, roleOf } from '../../src/machine/build.ts';
import { describeState, durationText, elapsedMs, nextExpectation, progressOf } from '../../src/machine/progress.ts';
import { conversationOf, earlierResults, snapshotOf } from '../../src/machine/snapshot.ts';
import type { PHASES } from '../../src/machine/states.ts';
import { statusView } from '../../src/machine/status-view.ts';
import {
  aborting,
  apply,
  buildIn,
  completing,
  FAILING,
  parkedIn,
  play,
  RESULTS,
  START_MS,
  start,
  startExternal,
} from './sample-builds.ts';

describe('progress', () => {
  it.each([
    [0, 0],
    [1, 17],
    [2, 33],
    [3, 50],
    [4, 67],
    [5, 83],
    [6, 100],
  ])('of %i phases is %i percent', (completed, percentage) => {
    expect(progressOf(completed)).toEqual({ percentage, completed, total: 6 });
  });

  it('follows a build back: a send-back takes the later phases away', () => {
    const view = (build = start()) => statusView(snapshotOf(build), START_MS).progress.percentage;
    expect(view(buildIn('implementation'))).toBe(33);
    expect(view(buildIn('testing'))).toBe(50);
    expect(view(apply(buildIn('testing'), completing(FAILING.testing)).build)).toBe(33);
    expect(view(buildIn('complete'))).toBe(100);
  });
});

describe('durations', () => {
  it.each([
    [0, '0h 0m'],
    [-5, '0h 0m'],
    [59_999, '0h 0m'],
    [60_000, '0h 1m'],
    [45 * 60_000, '0h 45m'],
    [135 * 60_000, '2h 15m'],
    [100 * 3_600_000, '100h 0m'],
  ])('%i ms read %s', (durationMs, text) => {
    expect(durationText(durationMs)).toBe(text);
  });

  it('end with the build, and go on while it waits in error', () => {
    const done = buildIn('complete');
    expect(elapsedMs(done, START_MS + 9e9)).toBe(done.updatedAtMs - START_MS);
    expect(elapsedMs(parkedIn('planning'), START_MS + 9e9)).toBe(9e9);
  });
});

describe('next expectation', () => {
  it('of a model has the end of the remaining active time as its deadline', () => {
    const build = buildIn('planning');
    expect(nextExpectation(build, 5000)).toMatchObject({ role: 'q_assistant', deadlineMs: 5000 + 3_600_000 - 1000 });
    expect(nextExpectation({ ...build, activeMs: 9e9 }, 5000).deadlineMs).toBe(5000);
  });

  it('of a person, of an operator and of nobody has no deadline', () => {
    expect(nextExpectation(buildIn('handoff_to_tester', startExternal()), 1)).toMatchObject({
      role: 'test_auditor',
      deadlineMs: null,
    });
    expect(nextExpectation(parkedIn('planning'), 1)).toEqual({
      role: 'operator',
      task: 'quota is used up',
      deadlineMs: null,
    });
    expect(nextExpectation(buildIn('complete'), 1)).toMatchObject({ role: null, deadlineMs: null });
    expect(nextExpectation(apply(start(), aborting()).build, 1)).toMatchObject({ role: null, deadlineMs: null });
  });
});

describe('the status view', () => {
  it('tells where a build stands, in wire names and ISO times', () => {
    const build = buildIn('handoff_to_coder', startExternal());
    expect(statusView(snapshotOf(build), START_MS + 45 * 60_000)).toMatchObject({
      build_id: 'build-1',
      project_id: 'shop',
      current_state: 'handoff_to_coder',
      current_role: 'q_assistant',
      next_role: 'code_writer',
      status: 'in_progress',
      completed_phases: ['discovery', 'planning'],
      driver: 'external',
      elapsed_time: '0h 45m',
      created_at: '2026-01-01T00:00:00.000Z',
      completed_at: null,
      next_expectations: { role: 'code_writer', deadline: null },
    });
  });

  it('names as driver who does the awaited phase, not who handed it on', () => {
    const build = buildIn('handoff_to_coder', start({ externalRoles: ['code_writer'] }));
    expect(statusView(snapshotOf(build), START_MS).driver).toBe('external');
    expect(statusView(snapshotOf(parkedIn('handoff_to_coder', build)), START_MS).driver).toBe('external');
  });

  it('of an ended and of a parked build says so', () => {
    const done = statusView(snapshotOf(buildIn('complete')), START_MS);
    expect(done).toMatchObject({ current_state: 'complete', next_role: null, status: 'complete' });
    expect(done.completed_at).toBe('2026-01-01T00:00:06.000Z');
    const parked = parkedIn('testing');
    expect(statusView(snapshotOf(parked), START_MS)).toMatchObject({
      current_state: 'error',
      current_role: 'test_auditor',
      next_role: null,
      status: 'error',
      next_expectations: { role: 'operator', task: 'quota is used up', deadline: null },
    });
    const cancelled = apply(parked, aborting()).build;
    expect(statusView(snapshotOf(cancelled), START_MS)).toMatchObject({
      current_state: 'error',
      current_role: 'test_auditor',
      status: 'cancelled',
      completed_at: null,
    });
  });

  it('describes every kind of position in a sentence', () => {
    const build = buildIn('testing');
    expect(describeState(build)).toBe('testing: Test the code and judge the result; 3 of 6 phases done (50 %)');
    expect(describeState(parkedIn('testing'))).toContain('needs an operator since testing (quota is used up)');
    expect(describeState(buildIn('complete'))).toBe('complete; 6 of 6 phases done (100 %)');
    expect(describeState(apply(build, aborting()).build)).toContain('cancelled in testing (not needed any more)');
  });

  it('gives in error the role that owns the state that failed', () => {
    const position: Position = parkedIn('handoff_to_tester', startExternal()).position;
    expect(roleOf(position)).toBe('code_writer');
  });
});

describe('a snapshot', () => {
  const sent = play(
    buildIn('testing'),
    completing(FAILING.testing, { full: { sha256: 'd'.repeat(64), bytes: 9000, preview: '' } }),
    completing(RESULTS.implementation),
    completing(RESULTS.testing, { full: { sha256: 'e'.repeat(64), bytes: 8000, preview: '' } }),
  ).build;

  it('gives the conversation back as it was', () => {
    expect(conversationOf(snapshotOf(sent))).toEqual(sent.conversation);
    expect(conversationOf(snapshotOf(start()))).toEqual([]);
  });

  it('carries each current result once', () => {
    const content = snapshotOf(sent).conversation.map((turn) => turn.content === 'result');
    expect(content).toEqual([true, true, false, false, true, true]);
  });

  it('survives JSON, as it travels', () => {
    const travelled = JSON.parse(JSON.stringify(snapshotOf(sent)));
    expect(travelled).toEqual(snapshotOf(sent));
    expect(conversationOf(travelled)).toEqual(sent.conversation);
  });

  it('gives the results of earlier phases in order', () => {
    const earlier = (phase: (typeof PHASES)[number]) => earlierResults(snapshotOf(sent), phase).map((r) => r.phase);
    expect(earlier('discovery')).toEqual([]);
    expect(earlier('testing')).toEqual(['discovery', 'planning', 'implementation']);
  });
});
