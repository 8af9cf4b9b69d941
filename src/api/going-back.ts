import { z } from 'zod';
import { expectedState, phase, reason, workflowParams } from './fields.ts';
import { COMMAND_ERRORS, operate } from './operate.ts';
import { abortReply, retryReply, rollbackReply } from './replies.ts';
import { defineRoute } from './route.ts';

export const requestRetry = defineRoute({
  method: 'post',
  path: '/api/workflows/:workflow_id/request-retry',
  operationId: 'requestRetry',
  summary: 'Sends the work back to the phase before, or out of error to the phase that is to be done again.',
  description:
    "The reason and the rejected result stand in the next attempt's prompt. The files of the last attempt stay, so that they are corrected and not written anew. Discovery has nothing before it.",
  params: workflowParams,
  body: z.strictObject({ reason, expected_state: expectedState }).meta({ id: 'RetryRequest' }),
  reply: retryReply,
  errors: [...COMMAND_ERRORS, 'nothing_before'],
  changes: true,
  handle: async (call, deps) => {
    const { reason: why, expected_state: expected } = call.body;
    const reply = await operate('retry', call, { reason: why, expected_state: expected ?? null }, deps);
    return {
      workflow_id: call.params.workflow_id,
      retry_requested: true as const,
      previous_state: reply.previous_state,
      new_state: reply.new_state,
      reason: why,
      timestamp: reply.timestamp,
    };
  },
});

export const rollback = defineRoute({
  method: 'post',
  path: '/api/workflows/:workflow_id/rollback',
  operationId: 'rollbackWorkflow',
  summary: 'Takes a build back to what it was just before a phase that it has reached.',
  description:
    "Results, conversation and files become what they were before the phase's first attempt. Later results leave the build and stay in the audit. The reason stands in the phase's next prompt.",
  params: workflowParams,
  body: z
    .strictObject({
      target_state: phase.meta({
        description:
          'A phase that the build has reached, not later than the current one; in error than the failed one.',
        examples: ['planning'],
      }),
      reason,
      expected_state: expectedState,
    })
    .meta({ id: 'RollbackRequest' }),
  reply: rollbackReply,
  errors: [...COMMAND_ERRORS, 'not_reached'],
  changes: true,
  handle: async (call, deps) => {
    const { target_state: target, reason: why, expected_state: expected } = call.body;
    const message = { target_state: target, reason: why, expected_state: expected ?? null };
    const reply = await operate('rollback', call, message, deps);
    return {
      workflow_id: call.params.workflow_id,
      rollback_successful: true as const,
      previous_state: reply.previous_state,
      new_state: reply.new_state,
      reason: why,
      rolled_back_by: call.caller.name,
      timestamp: reply.timestamp,
    };
  },
});

export const abort = defineRoute({
  method: 'post',
  path: '/api/workflows/:workflow_id/abort',
  operationId: 'abortWorkflow',
  summary: 'Ends a build; a model call that is running is cancelled.',
  description: 'It is taken in every state but complete. `status` becomes `cancelled`, and `current_state` stays.',
  params: workflowParams,
  body: z.strictObject({ reason }).meta({ id: 'AbortRequest' }),
  reply: abortReply,
  errors: COMMAND_ERRORS,
  changes: true,
  handle: async (call, deps) => {
    const reply = await operate('abort', call, { reason: call.body.reason }, deps);
    return {
      workflow_id: call.params.workflow_id,
      aborted: true as const,
      previous_state: reply.previous_state,
      status: reply.status,
      reason: call.body.reason,
      timestamp: reply.timestamp,
    };
  },
});
