import { describe, expect, it } from 'vitest';
import { EMPTY_TALLY } from '../../src/machine/tally.ts';
import { lastFlush } from '../../src/reconciler/ended-build.ts';
import { quotedReason } from '../../src/reconciler/reason.ts';
import { firstFlush } from '../../src/reconciler/reset-build.ts';
import { call } from '../machine/sample-builds.ts';
import { cleanRun, completePhase, RESULTS, specOf, steps, T0 } from '../mirror/builds.ts';
import { CLOSED_MS, endedRun, recordOf, workAt } from './runs.ts';

const run = cleanRun(specOf('a'));
const at = (index: number) => run[index] ?? expect.fail('a run has steps');
const seqs = (rows: readonly { seq: number }[] | undefined) => rows?.map(({ seq }) => seq);

describe('the end of a run that was cut off', () => {
  it.each([
    ['cancelled', null, 'it was cancelled in Temporal'],
    ['terminated', 'too slow', 'it was terminated in Temporal: too slow'],
    ['failed', 'out of range', 'its execution failed in Temporal: out of range'],
    ['timed_out', null, 'its execution timed out in Temporal'],
  ] as const)(
    'when it %s is an abort by Temporal behind the last row, at the time of the end',
    (ending, told, reason) => {
      const { build, rows } = at(2);
      const flush = lastFlush(endedRun('a', { ending }), recordOf({ lastWork: workAt(at(2)), reason: told }), null);
      const seq = build.seq + 1;
      expect(flush).toMatchObject({
        ...{ branch: 'run-1', runId: 'run-1', openedAtMs: CLOSED_MS },
        build: {
          ...{ seq, updatedAtMs: CLOSED_MS, tally: build.tally },
          position: { status: 'cancelled', endedAtMs: CLOSED_MS, reason, was: build.position },
        },
      });
      const state = 'implementation';
      expect(flush?.rows).toEqual([
        ...rows,
        {
          ...{ seq, atMs: CLOSED_MS, type: 'aborted', by: 'system' },
          data: { from: state, to: state, actor: 'temporal', reason },
        },
      ]);
    },
  );

  it('has the rows that only the workflow itself could tell, and the number behind them', () => {
    const { build } = at(1);
    const junk = { seq: build.seq + 1, atMs: T0, type: 'signal_rejected', by: 'operator', data: {} } as const;
    const own = { branch: 'run-1', flushed_seq: build.seq, rows: [...at(1).rows, junk] };
    const flush = lastFlush(endedRun('a'), recordOf({ lastWork: workAt(at(1)) }), own);
    expect(seqs(flush?.rows)).toEqual([build.seq + 1, build.seq + 2]);
    expect(flush?.build.seq).toBe(build.seq + 2);
  });

  it('of which no activity began is that of a build which has just started', () => {
    const flush = lastFlush(endedRun('a'), recordOf({ input: { spec: specOf('a') } }), null);
    expect(flush?.rows.map(({ type }) => type)).toEqual(['build_started', 'phase_started', 'aborted']);
    expect(flush?.build).toMatchObject({ createdAtMs: T0, tally: EMPTY_TALLY });
  });

  it('that had just continued as new goes on from what it was given', () => {
    const { build, rows } = at(3);
    const input = { spec: build.spec, carried: { build, outbox: rows, branch: 'run-0' } };
    const flush = lastFlush(endedRun('a'), recordOf({ input }), null);
    expect(flush).toMatchObject({ branch: 'run-0', runId: 'run-1', build: { seq: build.seq + 1 } });
    expect(seqs(flush?.rows)).toEqual([...rows.map(({ seq }) => seq), build.seq + 1]);
  });

  it('that a reset had made stands in the branch of that run, whoever wrote the activity down', () => {
    const again = endedRun('a', { runId: 'run-9' });
    const flush = lastFlush(again, recordOf({ lastWork: workAt(at(2)) }), null);
    expect(flush).toMatchObject({ branch: 'run-9', runId: 'run-9' });
  });

  it('that was over by itself already is its own, written as it was', () => {
    const aborting = { type: 'abort', actor: 'ann', reason: 'enough', opId: null } as const;
    const [, end] = steps(specOf('a'), [aborting]);
    const over = end ?? expect.fail('an abort is a step');
    const flush = lastFlush(endedRun('a'), recordOf({ lastWork: workAt(over) }), null);
    expect(flush?.rows).toEqual(over.rows);
    expect(flush?.build.position).toMatchObject({ status: 'cancelled', reason: 'enough' });
  });
});

describe('the end of a run that completed', () => {
  const completed = endedRun('a', { ending: 'completed' });

  it('is made again from the answer of its last phase', () => {
    const last = at(run.length - 1);
    const { result, work } = completePhase(RESULTS.at(-1) ?? {}, [call('c5')]) as Extract<
      ReturnType<typeof completePhase>,
      { type: 'complete_phase' }
    >;
    const record = recordOf({ lastWork: workAt(at(run.length - 2)), lastAnswer: { ackedSeq: 0, result, work } });
    const flush = lastFlush(completed, record, null);
    expect(flush?.build).toMatchObject({ position: { status: 'complete', endedAtMs: CLOSED_MS }, seq: last.build.seq });
    expect(flush?.rows.map(({ type }) => type)).toEqual(
      [...at(run.length - 2).rows, ...last.rows].map(({ type }) => type),
    );
    expect(flush?.build.results).toEqual(last.build.results);
  });

  it('is not guessed where nothing tells of it', () => {
    expect(lastFlush(completed, recordOf({ lastWork: workAt(at(2)) }), null)).toBeNull();
  });
});

describe('a run that was started by hand with the input of no build', () => {
  it.each([[{}], [{ spec: specOf('b') }]])('tells of no build', (input) => {
    expect(lastFlush(endedRun('a'), recordOf({ input }), null)).toBeNull();
  });
});

describe('the beginning of a run that a reset has made', () => {
  const reset = { ...endedRun('a', { runId: 'run-9' }), ending: null, closedAtMs: null };

  it('is the build as the run before it left it there, without rows that the mirror has', () => {
    const { build, rows } = at(2);
    const [confirmed] = rows;
    const record = recordOf({ lastWork: workAt(at(2)), ackedSeq: confirmed?.seq ?? 0, lastEventAtMs: CLOSED_MS + 5 });
    expect(firstFlush(reset, record)).toEqual({
      ...{ branch: 'run-9', runId: 'run-9', openedAtMs: CLOSED_MS + 5, rows: rows.slice(1) },
      build: workAt(at(2)).build,
    });
    expect(firstFlush(reset, { ...record, ackedSeq: build.seq })?.rows).toEqual([]);
  });

  it('is none where the run was made otherwise', () => {
    expect(firstFlush({ ...reset, runId: 'run-1' }, recordOf({ lastWork: workAt(at(2)) }))).toBeNull();
  });
});

describe('a reason', () => {
  it.each([
    [null, ''],
    [' \n ', ''],
    ['two\nlines\u0000 and\ttabs', ': two lines and tabs'],
    ['key sk-proj-12345678 leaked', ': key [key] leaked'],
    ['Authorization: Bearer abc.def', ': Authorization: Bearer [key]'],
    ['postgres://ann:secret@db/x is away', ': postgres://[key]@db/x is away'],
    ['x'.repeat(400), `: ${'x'.repeat(300)}…`],
  ])('%j is shown as %j', (told, shown) => {
    expect(quotedReason(told)).toBe(shown);
  });
});
