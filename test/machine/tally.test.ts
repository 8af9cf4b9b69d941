import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyCommand, startBuild } from '../../src/machine/apply.ts';
import { type Build, phaseOf, stateOf } from '../../src/machine/build.ts';
import type { Command } from '../../src/machine/commands.ts';
import { snapshotOf } from '../../src/machine/snapshot.ts';
import type { Phase } from '../../src/machine/states.ts';
import { anySequence, externalRoles } from './random-commands.ts';
import {
  aborting,
  advancing,
  apply,
  buildIn,
  completing,
  FAILING,
  failing,
  parkedAtLimit,
  parkedIn,
  play,
  RESULTS,
  retrying,
  rollingBack,
  START_MS,
  specOf,
  start,
  startExternal,
} from './sample-builds.ts';

const failuresOf = (build: Build) => build.tally.failures;

describe('the tally of a build', () => {
  it('of a clean build has five handoffs and no failure', () => {
    expect(buildIn('complete').tally).toEqual({ handoffs: 5, failures: {} });
    expect(start().tally).toEqual({ handoffs: 0, failures: {} });
  });

  it.each(['testing', 'verification'] as const)('counts a failing verdict of %s', (phase) => {
    expect(failuresOf(apply(buildIn(phase), completing(FAILING[phase])).build)).toEqual({ [phase]: 1 });
  });

  it('counts a verdict that only next_state asks for', () => {
    const asked = advancing('test_auditor', 'testing', RESULTS.testing, { nextState: 'implementation' });
    expect(failuresOf(apply(buildIn('testing', startExternal()), asked).build)).toEqual({ testing: 1 });
  });

  it('counts once what is a failing verdict and parks the build', () => {
    expect(failuresOf(parkedAtLimit('verification'))).toEqual({ verification: 4 });
    const released = apply(buildIn('deployment'), completing(FAILING.deployment)).build;
    expect(failuresOf(released)).toEqual({ deployment: 1 });
  });

  it('counts a parking for the phase it parked in, in a handoff state for the receiver’s', () => {
    expect(failuresOf(parkedIn('planning'))).toEqual({ planning: 1 });
    expect(failuresOf(parkedIn('handoff_to_tester', startExternal()))).toEqual({ testing: 1 });
  });

  it('counts nothing that an operator asks for, and keeps what was counted', () => {
    const parked = parkedIn('testing');
    const { build } = play(parked, retrying(), rollingBack('planning'), retrying(), aborting());
    expect(failuresOf(build)).toEqual({ testing: 1 });
  });

  it('counts on over retries and rollbacks', () => {
    const { build } = play(parkedIn('planning'), retrying(), failing, rollingBack('discovery'), failing);
    expect(failuresOf(build)).toEqual({ planning: 2, discovery: 1 });
  });

  it('travels to where the mirror is written', () => {
    expect(snapshotOf(buildIn('complete')).tally.handoffs).toBe(5);
  });
});

/** The phase that a command made fail, by nothing but the build before and after it. */
function failedBy(before: Build, command: Command, after: Build): Phase | null {
  const phase = phaseOf(before.position);
  if (before.position.status === 'in_progress' && after.position.status === 'error') return phase;
  const isWork = command.type === 'complete_phase' || command.type === 'advance';
  const judges = phase === 'testing' || phase === 'verification';
  return isWork && judges && stateOf(after.position) === 'implementation' ? phase : null;
}

describe('after any sequence of commands', () => {
  it('the tally is what its rows and its states come to', () => {
    let failed = 0;
    const property = fc.property(externalRoles, anySequence, (roles, intents) => {
      let { build, rows } = startBuild(specOf({ externalRoles: roles }), START_MS);
      const failures: Partial<Record<Phase, number>> = {};
      let nowMs = START_MS;
      for (const intent of intents) {
        const command = intent.make(build);
        nowMs += 1000;
        const applied = command && applyCommand(build, command, nowMs);
        if (!applied?.ok || applied.build === build) continue;
        const phase = failedBy(build, command as Command, applied.build);
        if (phase) failures[phase] = (failures[phase] ?? 0) + 1;
        build = applied.build;
        rows = [...rows, ...applied.rows];
      }
      failed += Object.keys(failures).length;
      expect(build.tally).toEqual({ handoffs: rows.filter(({ handoff }) => handoff).length, failures });
    });
    fc.assert(property, { numRuns: 300, seed: 20_260_101 });
    expect(failed).toBeGreaterThan(50);
  });
});
