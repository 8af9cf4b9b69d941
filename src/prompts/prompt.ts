import type { Phase } from '../machine/states.ts';
import { codeWriterPrompt } from './code-writer.ts';
import { conversationMessages } from './conversation.ts';
import { finalMessage } from './final-message.ts';
import type { Message, PromptInput } from './prompt-input.ts';
import { qAssistantPrompt } from './q-assistant.ts';
import { releaseManagerPrompt } from './release-manager.ts';
import type { RolePromptInput } from './role-prompt.ts';
import { testAuditorPrompt } from './test-auditor.ts';
import { verificationOverseerPrompt } from './verification-overseer.ts';
import { verificationView } from './verification-view.ts';

export type { Message, PromptInput } from './prompt-input.ts';

/** Characters of all messages of a prompt together. */
export const PROMPT_LIMIT_CHARS = 200_000;

const SYSTEM_PROMPT: Record<Phase, (input: RolePromptInput) => string> = {
  discovery: qAssistantPrompt,
  planning: qAssistantPrompt,
  implementation: codeWriterPrompt,
  testing: testAuditorPrompt,
  verification: verificationOverseerPrompt,
  deployment: releaseManagerPrompt,
};

/** Phases whose prompt shows the files: those before come before there are any. */
export const PHASES_WITH_FILES: ReadonlySet<Phase> = new Set([
  'implementation',
  'testing',
  'verification',
  'deployment',
]);

/** The system prompt of the role that owns a phase. */
export const systemPrompt = (input: RolePromptInput): string => SYSTEM_PROMPT[input.phase](input);

/**
 * The messages for one attempt of a phase: the role's system prompt, the conversation so far, and the phase's own message.
 * Together they have at most {@link PROMPT_LIMIT_CHARS} characters: the oldest turns go first, then big files are cut, then
 * earlier results. What others wrote stands in fences or on one line, so that it can forge no heading.
 */
export function buildPrompt(given: PromptInput): Message[] {
  const input = verificationView(given);
  const system = systemPrompt(input);
  const final = finalMessage(input, PROMPT_LIMIT_CHARS - system.length);
  const conversation = conversationMessages(input, PROMPT_LIMIT_CHARS - system.length - final.length);
  return [{ role: 'system', content: system }, ...conversation, { role: 'user', content: final }];
}
