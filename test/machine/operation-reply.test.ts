import { describe, expect, it } from 'vitest';
import type { Build } from '../../src/machine/build.ts';
import type { OperatorCommand } from '../../src/machine/commands.ts';
import { type OperationReply, operationReply } from '../../src/machine/operation-reply.ts';
import {
  aborting,
  advancing,
  apply,
  buildIn,
  FAILING,
  RESULTS,
  reach,
  retrying,
  start,
  startExternal,
} from './sample-builds.ts';

/** Carries out a command, and gives what it answers with the rows that it made at hand. */
function replyTo(build: Build, command: OperatorCommand): OperationReply {
  const { outcome, rows } = apply(build, command);
  return operationReply(build.spec, outcome, rows);
}

const planned = advancing('q_assistant', 'planning', RESULTS.planning);

describe('what an operation answers', () => {
  it('says where it led to itself, who acts next there, and what was handed on', () => {
    for (const [build, next_driver] of [
      [startExternal(), 'external'],
      [start({ externalRoles: ['q_assistant'] }), 'llm'],
    ] as const) {
      expect(replyTo(buildIn('planning', build), planned)).toMatchObject({
        previous_state: 'planning',
        new_state: 'handoff_to_coder',
        next_role: 'code_writer',
        next_driver,
        handoff_data: RESULTS.planning,
        handoff_seq: null,
        is_complete: false,
        state_description: 'handoff_to_coder: Acknowledge the plan; 2 of 6 phases done (33 %)',
      });
    }
  });

  it('names nobody where nobody acts next', () => {
    const deploying = buildIn('deployment', startExternal());
    const deployed = (data: unknown) => advancing('release_manager', 'deployment', data);
    expect(replyTo(deploying, deployed(RESULTS.deployment))).toMatchObject({
      next_role: null,
      next_driver: null,
      handoff_data: {},
      is_complete: true,
      state_description: 'complete; 6 of 6 phases done (100 %)',
    });
    expect(replyTo(deploying, deployed(FAILING.deployment))).toMatchObject({
      new_state: 'error',
      next_role: null,
      next_driver: null,
      state_description: 'error: needs an operator; 5 of 6 phases done (83 %)',
    });
    expect(replyTo(deploying, aborting())).toMatchObject({
      new_state: 'deployment',
      status: 'cancelled',
      next_role: null,
      state_description: 'cancelled in deployment; 5 of 6 phases done (83 %)',
    });
    expect(replyTo(deploying, retrying())).toMatchObject({ new_state: 'verification', next_driver: 'external' });
  });

  it('is the same when it is repeated after the build went on and ended', () => {
    const command = { ...planned, opId: 'op-1' };
    const first = apply(buildIn('planning', startExternal()), command);
    const reply = operationReply(first.build.spec, first.outcome, first.rows);
    const ended = reach(first.build, 'complete');
    const again = apply(ended.build, command);
    expect(operationReply(ended.build.spec, again.outcome, [...first.rows, ...ended.rows])).toEqual(reply);
  });

  it('names the row of what was handed on when that is not at hand any more', () => {
    const { build, outcome } = apply(buildIn('planning', startExternal()), planned);
    const seq = outcome.handedOn?.seq;
    expect(operationReply(build.spec, outcome, [])).toMatchObject({ handoff_data: {}, handoff_seq: seq });
    expect(seq).toBeGreaterThan(0);
  });
});
