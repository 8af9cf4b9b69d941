import { describe, expect, test } from 'vitest';
import { createIdleTests } from '../../../src/activities/sandbox/idle-tests.ts';
import { NOTHING_OBSERVED, type TestRun } from '../../../src/activities/sandbox/report.ts';

const runOf = (run: Partial<TestRun>): TestRun => ({
  ...NOTHING_OBSERVED,
  ...{ runner: 'node', faults: [], durationMs: 1, output: '', exitCode: 0, sealed: true, hollowed: 1 },
  ...run,
});

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
    expect(await createIdleTests()('a', run)).toEqual(['idle']);
    expect(seen).toEqual(['undefined', 'object']);
  });

  test('are looked for once, in one run where it leaves none', async () => {
    const idleTests = createIdleTests();
    const { run, seen } = playing(runOf({ passed: [] }));
    expect([await idleTests('a', run), await idleTests('a', run)]).toEqual([[], []]);
    expect(seen).toEqual(['undefined']);
    await idleTests('b', run);
    expect(seen).toHaveLength(2);
  });

  test('are looked for again after a run that did not end', async () => {
    const idleTests = createIdleTests();
    const { run } = playing(runOf({ sealed: false }), runOf({ passed: ['idle'] }), runOf({ passed: ['idle'] }));
    expect(await idleTests('a', run)).toEqual([]);
    expect(await idleTests('a', run)).toEqual(['idle']);
  });

  test('are not known where nothing could be taken out', async () => {
    expect(await createIdleTests()('a', playing(runOf({ hollowed: 0, passed: ['a'] })).run)).toBeNull();
  });
});
