import { phaseAt } from '../../machine/states.ts';
import type { OperationReply } from '../../workflows/messages.ts';

/** Where a build came to, and who acts there. */
type Arrival = Pick<OperationReply, 'new_state' | 'next_role' | 'next_driver'>;

/**
 * What to do next, with the path of the call that does it. It follows from the answer to a command alone, so that a
 * repeated command has the same.
 */
export function nextAction(
  workflowId: string,
  { new_state: state, next_role: role, next_driver: driver }: Arrival,
): string {
  const build = `/api/workflows/${workflowId}`;
  const status = `GET /api/ai-workflows/status/${workflowId}`;
  if (state === 'complete') return `Nothing: the build is complete. GET ${build}/history has all that was handed on.`;
  if (state === 'error') {
    return `The build is parked until an operator decides: GET ${build}/status says why. POST ${build}/request-retry goes on with it, POST ${build}/rollback goes further back, POST ${build}/abort ends it.`;
  }
  const phase = phaseAt(state);
  const complete = `POST /api/ai-workflows/complete-phase with completed_state "${phase}"`;
  if (driver === 'llm') {
    return `Nothing for now: the model drives ${phase} as ${role}. ${status} tells when it is done. To take the phase over, ${complete}.`;
  }
  return `Ask for the prompt of ${phase} with POST /api/ai-workflows/get-ai-prompt/${workflowId}, answer it as ${role}, and hand the answer on with ${complete}.`;
}
