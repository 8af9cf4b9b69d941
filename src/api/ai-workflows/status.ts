import { workflowParams } from '../fields.ts';
import { sourcedStatus } from '../read-status.ts';
import { defineRoute } from '../route.ts';
import { aiStatusReply } from './replies.ts';

export const aiStatus = defineRoute({
  method: 'get',
  path: '/api/ai-workflows/status/:workflow_id',
  operationId: 'aiWorkflowStatus',
  summary: 'Where a build is, briefly: state, percentage, and who acts next.',
  params: workflowParams,
  reply: aiStatusReply,
  errors: ['not_found', 'mirror_unavailable', 'temporal_unreachable'],
  handle: async ({ params }, deps) => {
    const { workflow_id: workflowId } = params;
    const { view } = await sourcedStatus(workflowId, await deps.builds.status(workflowId), deps);
    return {
      workflow_id: workflowId,
      current_state: view.current_state,
      progress: view.progress.percentage,
      completed_phases: [...view.completed_phases],
      next_role: view.next_role,
      is_complete: view.status === 'complete',
    };
  },
});
