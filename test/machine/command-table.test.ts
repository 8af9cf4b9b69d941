import { describe, expect, it } from 'vitest';
import { applyCommand } from '../../src/machine/apply.ts';
import { type Build, stateOf } from '../../src/machine/build.ts';
import type { AuditRow, Trigger } from '../../src/machine/events.ts';
import { BUILDS, COLUMNS, cellOf, commandFor } from './command-cells.ts';
import { ADVANCE_AND_RETRY, ROLLBACK_AND_ABORT, WORK } from './command-tables.ts';
import { buildIn, completing, FAILING, refusalOf, retrying, startExternal } from './sample-builds.ts';

type Cell = Readonly<{ row: string; column: string; expected: string }>;

function cellsOf(table: string): Cell[] {
  const [head = [], ...lines] = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  return lines.flatMap(([row = '', ...cells]) =>
    cells.map((expected, index) => ({ row, column: head[index + 1] ?? '', expected })),
  );
}

const CELLS = [ADVANCE_AND_RETRY, ROLLBACK_AND_ABORT, WORK].flatMap(cellsOf);

function buildOf(row: string): Build {
  const build = BUILDS.get(row);
  if (!build) throw new Error(`no build is called ${row}`);
  return build;
}

const OWNER: Record<string, Trigger> = {
  discovery: 'q_assistant',
  planning: 'q_assistant',
  handoff_to_coder: 'q_assistant',
  implementation: 'code_writer',
  handoff_to_tester: 'code_writer',
  testing: 'test_auditor',
  handoff_to_verifier: 'test_auditor',
  verification: 'verification_overseer',
  handoff_to_releaser: 'verification_overseer',
  deployment: 'release_manager',
};

/** Who triggers an event: the contract's rule, by hand. */
function triggerOf({ type, data }: AuditRow): Trigger | undefined {
  switch (type) {
    case 'build_started':
    case 'late_result':
      return 'system';
    case 'retry_requested':
    case 'rolled_back':
    case 'resumed':
    case 'preempted':
    case 'aborted':
    case 'signal_rejected':
      return 'operator';
    case 'handoff_acknowledged':
      return OWNER[String(data.to)];
    case 'parked':
    case 'completed':
      return OWNER[String(data.from)];
    default:
      return OWNER[String(data.phase)];
  }
}

describe('every command in every state', () => {
  it('is in the table', () => {
    const expected = [...BUILDS.keys()].flatMap((row) => COLUMNS.map((column) => `${row} | ${column}`));
    expect(CELLS.map(({ row, column }) => `${row} | ${column}`).sort()).toEqual(expected.sort());
  });

  it.each(CELLS)('$row, $column: $expected', ({ row, column, expected }) => {
    expect(cellOf(column, buildOf(row))).toBe(expected);
  });

  it.each(CELLS.filter(({ expected }) => !expected.startsWith('!')))(
    '$row, $column: each event names who triggered it',
    ({ row, column }) => {
      const build = buildOf(row);
      const applied = applyCommand(build, commandFor(column, build), 0);
      if (!applied.ok) throw new Error(applied.refusal.message);
      for (const event of applied.rows) expect([event.type, event.by]).toEqual([event.type, triggerOf(event)]);
    },
  );

  it.each(CELLS.filter(({ expected }) => expected.startsWith('!')))(
    '$row, $column: the refusal names the current state',
    ({ row, column }) => {
      const build = buildOf(row);
      const before = structuredClone(build);
      const refusal = refusalOf(build, commandFor(column, build));
      expect(refusal.state).toBe(stateOf(build.position));
      expect(refusal.message).not.toBe('');
      expect(build).toEqual(before);
    },
  );
});

describe('a refusal says what is allowed', () => {
  it.each([
    ['llm discovery', ['advance as q_assistant with completed_state discovery', 'rollback to discovery', 'abort']],
    [
      'external handoff_to_coder',
      [
        'advance as code_writer with completed_state handoff_to_coder',
        'retry (to planning)',
        'rollback to discovery, planning',
        'abort',
      ],
    ],
    ['llm error<planning', ['retry (to planning)', 'rollback to discovery, planning', 'abort']],
    ['llm complete', []],
    ['llm cancelled in error', []],
  ])('%s', (row, allowed) => {
    const refused = refusalOf(
      buildOf(row),
      row === 'llm discovery' ? retrying() : commandFor('wrong state', buildOf(row)),
    );
    expect(refused.allowed).toEqual(allowed);
  });
});

describe('the end of a build', () => {
  it.each([
    ['llm complete', 'complete', 'complete'],
    ['external complete', 'complete', 'complete'],
    ['llm cancelled in planning', 'cancelled', 'planning'],
    ['llm cancelled in error', 'cancelled', 'error'],
  ])('%s: the status is %s and the state %s', (row, status, state) => {
    expect(buildOf(row).position.status).toBe(status);
    expect(stateOf(buildOf(row).position)).toBe(state);
  });

  it('is not brought about by a model where a person drives', () => {
    const build = buildIn('deployment', startExternal());
    expect(refusalOf(build, completing(FAILING.deployment)).code).toBe('wrong_role');
  });
});
