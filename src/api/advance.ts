import { z } from 'zod';
import type { Json } from '../machine/json.ts';
import { isPhase } from '../machine/states.ts';
import type { OperationReply } from '../workflows/messages.ts';
import { openState, role, state, workflowParams } from './fields.ts';
import { handOn } from './hand-on.ts';
import { fromMirror } from './mirror-deadline.ts';
import { resultsByState } from './openapi/phase-results.ts';
import { COMMAND_ERRORS, operate } from './operate.ts';
import type { ApiDeps } from './ports.ts';
import { advanceReply } from './replies.ts';
import { defineRoute } from './route.ts';

const body = z
  .strictObject({
    role: role.meta({
      description: 'The role that acts: the owner of the state, of a handoff its receiver.',
      examples: ['q_assistant'],
    }),
    completed_state: openState.meta({
      description: 'The phase that is done, or the handoff that is acknowledged.',
      examples: ['discovery'],
    }),
    phase_result: z
      .unknown()
      .optional()
      .meta({
        description:
          'What the phase hands on; its fields follow from `completed_state`. Over 4 kB it is kept in the artifact store, and an extract with a reference travels. For a handoff it may be left out.',
        examples: [{ discovered_reqs: ['slugs of titles'], success_criteria: ['accents are removed'] }],
      }),
    next_state: state.nullish().meta({
      description:
        'Where the caller expects the build to go: another state than the machine would choose is refused. With testing and verification, `implementation` sends the work back.',
    }),
  })
  .superRefine((given, context) => {
    const missing = given.phase_result === undefined || given.phase_result === null;
    if (!missing || !isPhase(given.completed_state)) return;
    const message = `must be given: the result of ${given.completed_state}`;
    context.addIssue({ code: 'custom', path: ['phase_result'], message });
  })
  .meta({ id: 'AdvanceRequest', allOf: resultsByState('completed_state', 'phase_result') });

/** Of a command that is repeated long after, the workflow holds the row no more, and the mirror has it. */
async function handoffData(workflowId: string, reply: OperationReply, deps: ApiDeps): Promise<Record<string, Json>> {
  const { handoff_data: held, handoff_seq: seq } = reply;
  if (seq === null) return { ...held };
  return { ...(await fromMirror(() => deps.mirror.handoffData(workflowId, seq))) };
}

export const advance = defineRoute({
  method: 'post',
  path: '/api/workflows/:workflow_id/advance',
  operationId: 'advanceWorkflow',
  summary: 'Hands on the result of a phase, or acknowledges a handoff, for the role that may do so now.',
  description: [
    "Advance belongs to the role that owns the state, of a handoff to the receiver. A role that the model drives may be pre-empted: the model's call is cancelled, and this result counts instead. Completing a phase while the build still stands in the handoff before it acknowledges the handoff as well.",
    "`all_tests_passed: false`, a `test_coverage` under the build's minimum and `approved_for_deployment: false` send the build back to implementation; `deployment_successful: false` parks it in error. In error advance is refused.",
    'Without an Idempotency-Key a repeated advance is refused with `wrong_state`.',
  ].join('\n\n'),
  params: workflowParams,
  body,
  reply: advanceReply,
  errors: [...COMMAND_ERRORS, 'wrong_role', 'unexpected_next_state', 'gate_running', 'invalid_phase_result'],
  changes: true,
  handle: async (call, deps) => {
    const { role: by, completed_state: completed, phase_result: result, next_state: next } = call.body;
    const about = { role: by, next_state: next ?? null };
    const reply = isPhase(completed)
      ? await handOn(call, completed, result as Json, about, deps)
      : // An acknowledgement hands nothing on, so whatever comes with it does not travel.
        await operate('advance', call, { ...about, completed_state: completed, phase_result: {} }, deps);
    return {
      workflow_id: call.params.workflow_id,
      previous_state: reply.previous_state,
      new_state: reply.new_state,
      next_role: reply.next_role,
      handoff_data: await handoffData(call.params.workflow_id, reply, deps),
      is_complete: reply.is_complete,
      state_description: reply.state_description,
    };
  },
});
