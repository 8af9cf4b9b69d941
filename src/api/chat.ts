import { chatStartReply } from './replies.ts';
import { defineRoute } from './route.ts';
import { namelessStart, START_ERRORS, startNameless } from './start-nameless.ts';

export const chatStart = defineRoute({
  method: 'post',
  path: '/chat/start-build-workflow',
  operationId: 'startBuildFromChat',
  summary: 'Starts a build by models from a conversation. The same call again gives the first answer.',
  description:
    'Without a build_id the Idempotency-Key names the build, so that repeating the call with its key finds the same one.',
  body: namelessStart.meta({ id: 'ChatStartRequest' }),
  reply: chatStartReply,
  errors: START_ERRORS,
  changes: true,
  handle: async (call, deps) => ({
    workflow_id: await startNameless(call, {}, deps),
    state: 'discovery' as const,
  }),
});
