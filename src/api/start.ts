import type { Role } from '../machine/states.ts';
import { requireProject } from './access.ts';
import { projectParams } from './fields.ts';
import { startReply } from './replies.ts';
import { defineRoute } from './route.ts';
import { startBuildOnce } from './start-build.ts';
import { startBody, startRequest } from './start-spec.ts';

/** Who does the first phase, and which call does it instead. It follows from the request alone, so it stays the same. */
function instructionsFor(workflowId: string, externalRoles: readonly Role[]): string {
  const call = `POST /api/workflows/${workflowId}/advance with role "q_assistant", completed_state "discovery" and phase_result`;
  const watch = `Watch it with GET /api/workflows/${workflowId}/status.`;
  if (externalRoles.includes('q_assistant')) {
    return `The build waits for you: q_assistant is external. Do discovery, then hand it on with ${call}. ${watch}`;
  }
  return `The model drives discovery as q_assistant. ${watch} To take the phase over, ${call}: it counts instead of the model's answer.`;
}

export const start = defineRoute({
  method: 'post',
  path: '/api/workflows/:project_id/start',
  operationId: 'startWorkflow',
  summary: 'Starts a build. The same call again gives the first answer; other content under its build_id is refused.',
  description:
    'The content of a start is its project, user, requirements, metadata, model, external roles, coverage_min and source; the order of keys does not matter. The same content gives the first answer also after the end of the build.',
  params: projectParams,
  body: startBody,
  reply: startReply,
  errors: ['not_found', 'model_unavailable', 'source_refused', 'build_id_taken', 'temporal_unreachable', 'too_busy'],
  changes: true,
  handle: async ({ params, body, caller }, deps) => {
    requireProject(params.project_id, caller);
    const request = startRequest(params.project_id, body);
    const workflowId = await startBuildOnce(request, deps);
    return {
      workflow_id: workflowId,
      build_id: request.buildId,
      initial_state: 'discovery' as const,
      status: 'started' as const,
      current_role: 'q_assistant' as const,
      next_role: 'q_assistant' as const,
      instructions: instructionsFor(workflowId, request.externalRoles),
    };
  },
});
