import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyCommand } from '../../src/machine/apply.ts';
import type { Build, Feedback, PhaseResult, Turn } from '../../src/machine/build.ts';
import type { AuditRow } from '../../src/machine/events.ts';
import { rollbackTargets } from '../../src/machine/going-back.ts';
import { PHASES, type Phase } from '../../src/machine/states.ts';
import { externalRoles, openSequence } from './random-commands.ts';
import { apply, natural, rollingBack, settled, start } from './sample-builds.ts';

/**
 * What a build is, without what a rollback is meant to leave different:
 * - attempt and sequence numbers never go back, in results, turns and feedback too;
 * - times and the epoch are those of the commands, not of the work;
 * - counters of send-backs, active time and tokens: an operator starts the first two anew, and tokens stay spent;
 * - remembered operations are the rollback itself, not its result;
 * - the reason of the rollback is for the phase's next prompts and goes when the phase completes;
 * - the gate: a phase that is run again is measured again;
 * - checkpoints of later phases are void until those phases are entered again.
 */
function normalised(build: Build): object {
  const result = ({ attempt: _a, seq: _s, ...rest }: PhaseResult): object => rest;
  const turn = ({ attempt: _a, ...rest }: Turn): object => rest;
  const feedback = ({ attempt: _a, ...rest }: Feedback): object => rest;
  const { position } = build;
  return {
    spec: build.spec,
    position: position.status === 'complete' ? { status: position.status } : position,
    results: PHASES.map((phase) => {
      const found = build.results[phase];
      return found ? result(found) : null;
    }),
    conversation: build.conversation.map(turn),
    turns: build.turns,
    head: build.head,
    feedback: build.feedback.filter(({ kind }) => kind !== 'rollback').map(feedback),
  };
}

/** Phases that a command entered forward as the last thing it did, and those that it only passed through. */
function entered(rows: readonly AuditRow[], before: Build): { at: Phase | null; through: Phase[] } {
  const started = rows.flatMap(({ type, data }) => (type === 'phase_started' ? [data.phase as Phase] : []));
  const types = rows.map(({ type }) => type);
  const { position } = before;
  const resumedHandoff =
    types.includes('retry_requested') && position.status === 'error' && position.failedIn.startsWith('handoff');
  const back = types.some((type) => ['sent_back', 'retry_requested', 'rolled_back'].includes(type));
  if (types.includes('parked')) return { at: null, through: started };
  // The last one started is where the build stands, unless a later row of the same command led on to a handoff.
  const standing = rows.at(-1)?.type === 'phase_started' ? (started.at(-1) ?? null) : null;
  const forward = standing !== null && (!back || resumedHandoff);
  return { at: forward ? standing : null, through: started.filter((phase) => phase !== standing) };
}

const finishFrom = (build: Build): Build => {
  let next = build;
  for (let steps = 0; next.position.status !== 'complete' && steps < 40; steps++)
    next = apply(next, natural(next)).build;
  expect(next.position.status).toBe('complete');
  return next;
};

describe('a rollback', () => {
  it('gives the build of just before the phase, and the same results after it give the same build', () => {
    let compared = 0;
    const property = fc.property(externalRoles, openSequence, (roles, intents) => {
      let build = start({ externalRoles: roles });
      const standing = new Map<Phase, Build>([['discovery', build]]);
      for (const intent of intents) {
        const command = intent.make(build);
        const applied = command && applyCommand(build, command, build.updatedAtMs + 1000);
        if (!applied?.ok) continue;
        const { at, through } = entered(applied.rows, build);
        for (const phase of through) standing.delete(phase);
        build = applied.build;
        if (at !== null) standing.set(at, build);
      }
      for (const target of rollbackTargets(build.position)) {
        const before = standing.get(target);
        if (!before) continue;
        compared += 1;
        const rolled = apply(build, rollingBack(target)).build;
        expect(rolled.feedback.at(-1)).toMatchObject({ kind: 'rollback', until: target, reason: 'wrong turn' });
        expect(normalised(settled(rolled))).toEqual(normalised(settled(before)));
        const [again, once] = [finishFrom(rolled), finishFrom(before)];
        expect(normalised(again)).toEqual(normalised(once));
        expect(again.feedback).toEqual([]);
      }
    });
    fc.assert(property, { numRuns: 400 });
    expect(compared).toBeGreaterThan(400);
  });
});
