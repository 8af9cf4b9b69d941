import { loadContent, loadPromptParts } from '../../artifacts/contents.ts';
import { AppError } from '../../errors.ts';
import type { Measurement } from '../../machine/build.ts';
import type { JsonObject } from '../../machine/json.ts';
import type { PromptView } from '../../machine/prompt-view.ts';
import { handedOnFiles } from '../../prompts/handed-on-files.ts';
import { buildPrompt, type Message, PHASES_WITH_FILES } from '../../prompts/prompt.ts';
import { workflowParams } from '../fields.ts';
import type { ApiDeps } from '../ports.ts';
import { sourcedStatus } from '../read-status.ts';
import { defineRoute } from '../route.ts';
import { promptReply } from './replies.ts';

/**
 * Answers are JSON and code, so little is left to chance; every model that a start may name answers this much. The
 * worker asks with the provider's own settings, because it knows its model.
 */
const SAMPLING = { temperature: 0.2, max_tokens: 4096, top_p: 1 } as const;

/** Why there is no prompt any more. @throws AppError `not_found` and what a status throws, when that is why */
async function buildOver(workflowId: string, deps: ApiDeps): Promise<AppError> {
  const { view } = await sourcedStatus(workflowId, await deps.builds.status(workflowId), deps);
  return new AppError('build_over', `the build has ended (${view.status}), so that no phase has a prompt any more`, {
    currentState: view.current_state,
    allowed: [],
  });
}

/** @throws AppError `not_found`, `build_over`, `no_worker`, `temporal_unreachable` */
async function askForPrompt(workflowId: string, deps: ApiDeps): Promise<PromptView> {
  const asked = await deps.builds.prompt(workflowId);
  if (asked.kind === 'silent') throw asked.error;
  if (asked.kind === 'answer' && asked.value !== null) return asked.value;
  throw await buildOver(workflowId, deps);
}

async function testRunOf(measurement: Measurement | null, { artifacts }: ApiDeps): Promise<JsonObject | null> {
  if (measurement === null) return null;
  const { passed, coverage, summary, full } = measurement;
  if (full === null) return { measured: true, passed, coverage, failures: summary };
  return (await loadContent(artifacts, { kind: 'artifact', ref: full })) as JsonObject;
}

/** Whoever asks here works from outside, also where a model drives the role: the result is handed on with a call. */
async function messagesFor({ phase, build, measurement }: PromptView, deps: ApiDeps): Promise<Message[]> {
  const [parts, testRun] = await Promise.all([
    loadPromptParts(deps.artifacts, build, phase),
    testRunOf(measurement, deps),
  ]);
  // The tree is on the workers' machines: what the roles handed on is the same, as far as the conversation reaches.
  const files = PHASES_WITH_FILES.has(phase) ? handedOnFiles(parts.conversation) : null;
  return buildPrompt({ ...parts, driver: 'external', files, tree: null, diff: null, testRun });
}

export const getAiPrompt = defineRoute({
  method: 'post',
  path: '/api/ai-workflows/get-ai-prompt/:workflow_id',
  operationId: 'getAiPrompt',
  summary: 'The prompt of the current phase: what a model would be asked, with the calls that hand the answer on.',
  description:
    "In a handoff state it is the receiver's prompt, in error the failed phase's. It changes nothing, and can be asked for again, also while a model works on the phase.",
  params: workflowParams,
  reply: promptReply,
  errors: ['not_found', 'build_over', 'no_worker', 'mirror_unavailable', 'temporal_unreachable'],
  reads: true,
  handle: async ({ params }, deps) => {
    const { workflow_id: workflowId } = params;
    const view = await askForPrompt(workflowId, deps);
    const messages = await messagesFor(view, deps);
    return { model: view.build.spec.model ?? deps.settings.models.byRole[view.role], messages, ...SAMPLING };
  },
});
