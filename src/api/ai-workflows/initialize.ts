import { ROLES } from '../../machine/states.ts';
import { systemPrompt } from '../../prompts/prompt.ts';
import { model } from '../fields.ts';
import { defineRoute } from '../route.ts';
import { namelessStart, START_ERRORS, startNameless } from '../start-nameless.ts';
import { nextAction } from './next-action.ts';
import { initializeReply } from './replies.ts';

export const initialize = defineRoute({
  method: 'post',
  path: '/api/ai-workflows/initialize',
  operationId: 'initializeAiWorkflow',
  summary: 'Starts a build whose every role is played from outside. The same call again gives the first answer.',
  description:
    'No model is called: each phase waits for `complete-phase` or `advance`. Without a build_id the Idempotency-Key names the build, so that repeating the call with its key finds the same one.',
  body: namelessStart.extend({ model }).meta({ id: 'InitializeRequest' }),
  reply: initializeReply,
  errors: START_ERRORS,
  changes: true,
  handle: async (call, deps) => {
    const workflowId = await startNameless(call, { model: call.body.model, external_roles: [...ROLES] }, deps);
    const { coverageMin } = deps.settings;
    const first = { new_state: 'discovery', next_role: 'q_assistant', next_driver: 'external' } as const;
    return {
      workflow_id: workflowId,
      initial_state: first.new_state,
      system_prompt: systemPrompt({ workflowId, phase: first.new_state, driver: first.next_driver, coverageMin }),
      next_action: nextAction(workflowId, first),
    };
  },
});
