import { PHASE_FIELDS } from '../machine/payloads.ts';
import type { Phase } from '../machine/states.ts';
import type { PromptInput } from './prompt-input.ts';

/** What a phase's answer must hold, by who gives it: a model every field, a person only what a verdict needs. */
export function requiredFields(phase: Phase, driver: PromptInput['driver']): string[] {
  return PHASE_FIELDS[phase]
    .filter(({ from }) => from === 'everyone' || (from === 'llm' && driver === 'llm'))
    .map(({ name }) => name);
}

const listed = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');

/** Of these fields a model must give one. */
const CHOICES: Readonly<Partial<Record<Phase, string>>> = {
  planning: ', `plan` or `components`',
  implementation: ', `files` or `edits`',
};

/** The last section of a prompt: what to hand on, briefly. */
export function answerSection({ phase, attempt, driver, feedback }: PromptInput): string {
  const required = requiredFields(phase, driver);
  const needed = required.length === 0 ? 'what your system prompt asks for' : listed(required);
  const choice = driver === 'llm' ? (CHOICES[phase] ?? '') : '';
  const form =
    driver === 'llm'
      ? `One JSON object with ${needed}${choice} and \`next_role_instruction\`; nothing before or after it.`
      : `A \`phase_result\` with ${needed} and \`next_role_instruction\`, handed on with one of the calls in your system prompt.`;
  const again =
    feedback.length === 0 ? '' : ` This is attempt ${attempt}: deal with every reason under "Sent back", and say how.`;
  return `## Your answer\n${form}${again}`;
}
