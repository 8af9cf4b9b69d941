import { z } from 'zod';
import { keepContent } from '../../artifacts/contents.ts';
import type { Json } from '../../machine/json.ts';
import type { WireMessage } from '../../machine/messages.ts';
import { type Phase, phaseAt, STATE_TABLE } from '../../machine/states.ts';
import { canonicalJson, digestOf } from '../digest.ts';
import { NOT_BLANK, openState, workflowId } from '../fields.ts';
import { handOn } from '../hand-on.ts';
import { resultsByState } from '../openapi/phase-results.ts';
import { COMMAND_ERRORS } from '../operate.ts';
import type { ApiDeps } from '../ports.ts';
import { defineRoute } from '../route.ts';
import { nextAction } from './next-action.ts';
import { completePhaseReply } from './replies.ts';

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

const body = z
  .strictObject({
    workflow_id: workflowId,
    ai_response: z
      .unknown()
      .refine((said) => isGiven(said) && (typeof said !== 'string' || said.trim() !== ''), {
        error: 'must be given: what was answered to the prompt, as a text or JSON',
      })
      .meta({
        anyOf: [{ type: 'string', pattern: NOT_BLANK }, { type: ['object', 'array', 'number', 'boolean'] }],
        description:
          'What was answered to the prompt, as a text or JSON. It joins the conversation of the build, which later prompts show.',
        examples: ['Three requirements are stated, and one is implied: accents are removed.'],
      }),
    phase_result: z
      .unknown()
      .refine(isGiven, { error: 'must be given: the result of the phase' })
      .meta({
        not: { type: 'null' },
        description: 'What the phase hands on; its fields follow from the phase.',
        examples: [{ discovered_reqs: ['slugs of titles'], success_criteria: ['accents are removed'] }],
      }),
    completed_state: openState.nullish().meta({
      description:
        'The phase that is done, or the handoff before it; without it the current one is meant. With it, a build that has moved on is not touched.',
      examples: ['discovery'],
    }),
  })
  .meta({ id: 'CompletePhaseRequest', allOf: resultsByState('completed_state', 'phase_result', true) });

/** Where no phase is worked on the build refuses whichever is named, unless it knows the operation from before. */
const NO_PHASE: Phase = 'discovery';

/** The phase that is meant when none is named. Whatever moves the build meanwhile makes the command untimely. */
async function currentPhase(workflowId: string, deps: ApiDeps): Promise<Phase> {
  const asked = await deps.builds.status(workflowId);
  if (asked.kind === 'silent') throw asked.error;
  if (asked.kind !== 'answer') return NO_PHASE;
  const { current_state: state } = asked.value;
  return state === 'complete' || state === 'error' ? NO_PHASE : phaseAt(state);
}

async function responseMessage(said: Json, { artifacts }: ApiDeps): Promise<WireMessage> {
  const content = await keepContent(artifacts, said);
  return content.kind === 'inline' ? { ai_response: content.value } : { ai_response_artifact: { ...content.ref } };
}

export const completePhase = defineRoute({
  method: 'post',
  path: '/api/ai-workflows/complete-phase',
  operationId: 'completeAiPhase',
  summary: 'Completes a phase for the role that owns it, and keeps what was said in the conversation.',
  description:
    "It always completes a phase: in a handoff state the handoff is acknowledged and the receiver's phase completed. A model that drives the phase is pre-empted: this result counts instead.",
  body,
  reply: completePhaseReply,
  errors: [...COMMAND_ERRORS, 'gate_running', 'invalid_phase_result'],
  changes: true,
  handle: async (call, deps) => {
    const { workflow_id: id, ai_response: said, phase_result: result, completed_state: completed } = call.body;
    const phase = completed ? phaseAt(completed) : await currentPhase(id, deps);
    const about = {
      role: STATE_TABLE[phase].owner,
      ...(await responseMessage(said as Json, deps)),
      // A repetition is told by what the caller said: by then another phase may be the current one.
      op_content: digestOf(canonicalJson(call.body)),
    };
    const reply = await handOn({ ...call, params: { workflow_id: id } }, phase, result as Json, about, deps);
    return {
      workflow_id: id,
      previous_state: reply.previous_state,
      new_state: reply.new_state,
      next_role: reply.next_role,
      next_action: nextAction(id, reply),
      is_complete: reply.is_complete,
    };
  },
});
