import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyCommand, startBuild } from '../../src/machine/apply.ts';
import { type Build, completedPhases, isOver, type Position, phaseOf, stateOf } from '../../src/machine/build.ts';
import type { AuditRow } from '../../src/machine/events.ts';
import { jsonFaults } from '../../src/machine/json.ts';
import { standsReleased, takesReleasesBack } from '../../src/machine/next-work.ts';
import { allowedNow } from '../../src/machine/refuse.ts';
import { conversationOf, snapshotOf } from '../../src/machine/snapshot.ts';
import { PHASES, STATES, TRANSITIONS } from '../../src/machine/states.ts';
import { statusView } from '../../src/machine/status-view.ts';
import { anySequence, externalRoles, type Intent } from './random-commands.ts';
import { START_MS, specOf } from './sample-builds.ts';

const LISTED = new Set(TRANSITIONS.map(({ from, to }) => `${from}→${to}`));
const OPERATIONS = ['retry_requested', 'rolled_back', 'aborted'];
/** Events that tell of a change of state by themselves; `completed` and `resumed` only underline one. */
const STEPS = ['phase_completed', 'handoff_acknowledged', 'sent_back', 'parked'];

/** Follows the rows of one command from the state before it, and gives the state that they lead to. */
function follow(before: string, rows: readonly AuditRow[]): string {
  return rows.reduce((state, { type, data }) => {
    if (type === 'phase_started') expect(data.phase).toBe(state);
    if (type === 'completed' || type === 'resumed') expect(data.to).toBe(state);
    if (STEPS.includes(type)) {
      expect(data.from).toBe(state);
      // A build that is parked may get a second reason to be.
      if (state !== 'error') expect(LISTED).toContain(`${data.from}→${data.to}`);
      else expect([type, data.to]).toEqual(['parked', 'error']);
    }
    if (OPERATIONS.includes(type)) {
      expect(data.from).toBe(state);
      expect(data.actor).toBe('ann');
      expect(data.reason).toBeTypeOf('string');
    }
    return STEPS.includes(type) || OPERATIONS.includes(type) ? String(data.to) : state;
  }, before);
}

/** How many phases must have their result in the build: all before the one it is about. */
function expectedCompleted(position: Position): number {
  const phase = phaseOf(position);
  return phase === null ? 6 : PHASES.indexOf(phase);
}

function checkBuild(build: Build, nowMs: number): void {
  const state = stateOf(build.position);
  expect(STATES).toContain(state);
  expect(completedPhases(build)).toEqual(PHASES.slice(0, expectedCompleted(build.position)));
  const view = statusView(snapshotOf(build), nowMs);
  expect(view.current_state).toBe(state);
  expect(view.progress.percentage).toBe(Math.round((100 * completedPhases(build).length) / 6));
  expect(conversationOf(snapshotOf(build))).toEqual(build.conversation);
  expect(allowedNow(build.position).length === 0).toBe(isOver(build.position));
  expect(build.gate.kind === 'none' || phaseOf(build.position) === 'testing').toBe(true);
  expect(jsonFaults(build)).toEqual([]);
}

function checkAccepted(before: Build, after: Build, rows: readonly AuditRow[]): void {
  expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => before.seq + 1 + index));
  expect(after.seq).toBe(before.seq + rows.length);
  expect(follow(stateOf(before.position), rows)).toBe(stateOf(after.position));
  for (const phase of PHASES) {
    const started = rows.filter(({ type, data }) => type === 'phase_started' && data.phase === phase);
    expect(after.attempts[phase]).toBe(before.attempts[phase] + started.length);
    for (const { data } of started) expect(data.attempt).toBe(after.attempts[phase]);
  }
  const onlyRecorded = rows.length === 1 && ['signal_rejected', 'late_result'].includes(rows[0]?.type ?? '');
  if (onlyRecorded) expect(after).toEqual({ ...before, seq: before.seq + 1 });
  else if (after === before) expect(rows).toEqual([]);
  else expect(after.epoch).toBe(before.epoch + 1);
  if (isOver(before.position)) expect(after.position).toBe(before.position);
  expect(jsonFaults(rows.map((row) => row.data))).toEqual([]);
}

/** No release that may exist is forgotten: what is not taken back is being made, stands for good, or is noted, newest first. */
function checkReleases(build: Build, undone: ReadonlySet<number>): void {
  const { position, attempts, toUndo = [] } = build;
  const isMaking = position.status === 'in_progress' && position.state === 'deployment';
  const kept = isMaking || standsReleased(build) ? attempts.deployment : null;
  const begun = Array.from({ length: attempts.deployment }, (_, index) => attempts.deployment - index);
  const owed = begun.filter((attempt) => attempt !== kept && !undone.has(attempt));
  expect(toUndo).toEqual(takesReleasesBack(build) ? owed : []);
}

/** Applies a sequence and checks every step; gives the build and all its rows. */
function run(first: Build, intents: readonly Intent[]): Build {
  const undone = new Set<number>();
  return intents.reduce((build, intent, index) => {
    const command = intent.make(build);
    if (command === null) return build;
    const frozen = structuredClone(build);
    const nowMs = START_MS + (index + 1) * 1000;
    const applied = applyCommand(build, command, nowMs);
    // Accepted or refused, the build that was given is never touched.
    expect(build).toEqual(frozen);
    if (!applied.ok) {
      expect(Object.keys(applied)).toEqual(['ok', 'refusal']);
      expect(applied.refusal.state).toBe(stateOf(build.position));
      return build;
    }
    checkAccepted(build, applied.build, applied.rows);
    checkBuild(applied.build, nowMs);
    if (command.type === 'release_undone') for (const attempt of command.attempts) undone.add(attempt);
    checkReleases(applied.build, undone);
    return applied.build;
  }, first);
}

describe('any sequence of commands', () => {
  it('keeps a build legal, its changes listed or recorded, its numbers without gap and refusals without trace', () => {
    fc.assert(
      fc.property(externalRoles, fc.nat(3), anySequence, (roles, maxSendBacks, intents) => {
        const { build, rows } = startBuild(specOf({ externalRoles: roles, maxSendBacks }), START_MS);
        expect(rows.map(({ seq, type }) => [seq, type])).toEqual([
          [1, 'build_started'],
          [2, 'phase_started'],
        ]);
        checkBuild(build, START_MS);
        run(build, intents);
      }),
      { numRuns: 400 },
    );
  });

  it('gives the same build and rows again for the same commands at the same times', () => {
    fc.assert(
      fc.property(externalRoles, anySequence, (roles, intents) => {
        const { build } = startBuild(specOf({ externalRoles: roles }), START_MS);
        expect(run(build, intents)).toEqual(run(structuredClone(build), intents));
      }),
      { numRuns: 50 },
    );
  });
});
