import type { Fault } from '../../machine/json.ts';
import { printable } from './printable.ts';
import type { ChatMessage } from './tool-call.ts';

/** Enough to see what was wrong; a runaway answer is not sent back whole. */
const QUOTED_ANSWER_LIMIT_CHARS = 32 * 1024;
const FAULTS_LIMIT = 20;
/** Room for the line of a file that an edit does not fit. */
const FAULT_LIMIT_CHARS = 400;

/** A refused answer and what to do about it. Only the last one is shown, so that the prompt does not grow with each. */
export function refusal(answer: string, faults: string): ChatMessage[] {
  const shown =
    answer.length > QUOTED_ANSWER_LIMIT_CHARS
      ? `${answer.slice(0, QUOTED_ANSWER_LIMIT_CHARS)}… (${answer.length - QUOTED_ANSWER_LIMIT_CHARS} more characters)`
      : answer;
  return [
    { role: 'assistant', content: shown },
    {
      role: 'user',
      content: `Your last answer was refused: ${faults}. Answer again with the JSON object only.`,
    },
  ];
}

/** A truncated answer and the request to go on. */
export function continuation(partial: string): ChatMessage[] {
  return [
    { role: 'assistant', content: partial },
    {
      role: 'user',
      content:
        'Your answer was cut off at the output limit. Continue exactly where it stopped, in the middle of a word if need be. Repeat nothing and add nothing around it.',
    },
  ];
}

/** Faults in one line: `/files/0/path: is missing; …`. */
export function describeFaults(faults: readonly Fault[]): string {
  const shown = faults
    .slice(0, FAULTS_LIMIT)
    .map(({ at, fault }) => printable(at === '' ? fault : `${at}: ${fault}`, FAULT_LIMIT_CHARS));
  const more = faults.length - shown.length;
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
