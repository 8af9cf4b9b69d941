import { describe, expect, test } from 'vitest';
import { createIdleTests } from '../../../src/activities/sandbox/idle-tests.ts';
import { NOTHING_OBSERVED, type TestRun } from '../../../src/activities/sandbox/report.ts';

const runOf = (run: Partial<TestRun>): TestRun => ({
  ...NOTHING_OBSERVED,
  ...{ runner: 'node', faults: [], durationMs: 1, output: '', exitCode: 0, sealed: true, hollowed: 1 },
  ...run,
});

const MADE_ANEW = { ran: ['expects nothing', 'idle', 'a'], theirs: new Set<string>() };

/** Gives these runs one after the other, and counts them. */
function playing(...runs: readonly TestRun[]) {
  const seen: string[] = [];
  const run = async (gives: string): Promise<TestRun> => {
    seen.push(gives);
    return runs[seen.length - 1] ?? runOf({});
  };
  return { seen, run };
}

describe('idle tests', () => {
  test('are those that pass a hollow run, unless they fail where functions give something', async () => {
    const failed = [{ name: 'expects nothing', reason: 'got {}' }];
    const { run, seen } = playing(runOf({ passed: ['expects nothing', 'idle'] }), runOf({ passed: ['idle'], failed }));
    expect(await createIdleTests()('a', MADE_ANEW, run)).toEqual(['idle']);
    expect(seen).toEqual(['undefined', 'object']);
  });

  test('are looked for once, in one run where it leaves none', async () => {
    const idleTests = createIdleTests();
    const { run, seen } = playing(runOf({ passed: [] }));
    expect([await idleTests('a', MADE_ANEW, run), await idleTests('a', MADE_ANEW, run)]).toEqual([[], []]);
    expect(seen).toEqual(['undefined']);
    await idleTests('b', MADE_ANEW, run);
    expect(seen).toHaveLength(2);
  });

  test('are looked for again after a run that did not end', async () => {
    const idleTests = createIdleTests();
    const { run } = playing(runOf({ sealed: false }), runOf({ passed: ['idle'] }), runOf({ passed: ['idle'] }));
    expect(await idleTests('a', MADE_ANEW, run)).toEqual([]);
    expect(await idleTests('a', MADE_ANEW, run)).toEqual(['idle']);
  });

  test.each([
    ['in one run where it leaves tests of the user alone and others prove something', ['theirs'], ['theirs', 'new'], 1],
    ['in two runs where no test proves anything', ['theirs'], ['theirs'], 2],
    ['in two runs where the first leaves a new test', ['theirs', 'new'], ['theirs', 'new', 'proves'], 2],
  ])('are looked for %s', async (_, left, ran, runs) => {
    const { run, seen } = playing(runOf({ passed: left }), runOf({ passed: left }));
    expect(await createIdleTests()('a', { ran, theirs: new Set(['theirs']) }, run)).toEqual(left);
    expect(seen).toHaveLength(runs);
  });

  test('are not known where nothing could be taken out', async () => {
    expect(await createIdleTests()('a', MADE_ANEW, playing(runOf({ hollowed: 0, passed: ['a'] })).run)).toBeNull();
  });
});
