import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { Fault, Json } from '../machine/json.ts';
import type { WireMessage } from '../machine/messages.ts';
import { checkPhaseResult, extractResult } from '../machine/payloads.ts';
import { isPhase, type Phase } from '../machine/states.ts';
import { openState, role, state, workflowParams } from './fields.ts';
import { resultsByState } from './openapi/phase-results.ts';
import { COMMAND_ERRORS, operate } from './operate.ts';
import type { ApiDeps } from './ports.ts';
import { advanceReply } from './replies.ts';
import { defineRoute } from './route.ts';

/** A larger result is stored, and travels as an extract with a reference. */
const INLINE_RESULT_LIMIT_BYTES = 4 * 1024;

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

const inResult = (faults: readonly Fault[]): Fault[] =>
  faults.map(({ at, fault }) => ({ at: at === '' ? 'phase_result' : `phase_result.${at}`, fault }));

const refusedResult = (phase: string, faults: readonly Fault[]): AppError =>
  new AppError(
    'invalid_phase_result',
    `phase_result does not fit ${phase}: ${faults.map(({ at, fault }) => `${at} ${fault}`).join('; ')}.`,
    { faults },
  );

/** What stands for the phase_result in the command; `faults` when the whole of it is known not to fit. */
type Carried = Readonly<{ message: WireMessage; faults: readonly Fault[] }>;

/**
 * A result that fits no phase. The contract answers 404 and 409 before it looks at the result, and only the workflow
 * knows those: so for a large result that is faulty the workflow is asked with this one, which it cannot accept, and its
 * complaint about it is replaced with the faults of the whole.
 */
const NO_RESULT = 0;

async function carry(phase: Phase, given: Json, artifacts: ApiDeps['artifacts']): Promise<Carried> {
  if (Buffer.byteLength(JSON.stringify(given), 'utf8') <= INLINE_RESULT_LIMIT_BYTES) {
    return { message: { phase_result: given }, faults: [] };
  }
  const checked = checkPhaseResult(phase, given, 'external');
  if (!checked.ok) return { message: { phase_result: NO_RESULT }, faults: inResult(checked.faults) };
  const artifact = await artifacts.put(JSON.stringify(checked.value));
  return { message: { phase_result: extractResult(checked.value), artifact: { ...artifact } }, faults: [] };
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
    // An acknowledgement hands nothing on, so whatever comes with it does not travel.
    const carried = isPhase(completed)
      ? await carry(completed, result as Json, deps.artifacts)
      : { message: { phase_result: {} }, faults: [] };
    const message = { role: by, completed_state: completed, next_state: next ?? null, ...carried.message };
    const reply = await operate('advance', call, message, deps).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'invalid_phase_result') throw error;
      throw refusedResult(completed, carried.faults.length > 0 ? carried.faults : inResult(error.details.faults ?? []));
    });
    return {
      workflow_id: call.params.workflow_id,
      previous_state: reply.previous_state,
      new_state: reply.new_state,
      next_role: reply.next_role,
      handoff_data: { ...reply.handoff_data },
      is_complete: reply.is_complete,
      state_description: reply.state_description,
    };
  },
});
