import { jsonText } from './blocks.ts';
import type { Message, PhaseContent, PromptInput, PromptTurn } from './prompt-input.ts';

const keyOf = ({ phase, result }: PhaseContent): string => `${phase}\n${jsonText(result, 0)}`;

/** Where the last message shows the same content, so that a turn need not repeat it. */
function placesShown({ earlierResults, feedback }: PromptInput): Map<string, string> {
  const rejected = feedback.flatMap((entry) => entry.rejected);
  return new Map([
    ...rejected.map((content) => [keyOf(content), 'Sent back'] as const),
    ...earlierResults.map((content) => [keyOf(content), 'Earlier results'] as const),
  ]);
}

function answerOf({ phase, content }: PromptTurn, places: ReadonlyMap<string, string>): string {
  const place = places.get(keyOf({ phase, result: content }));
  // JSON like any answer, so that a model does not take the note for the form in which to answer.
  return place === undefined ? jsonText(content) : jsonText({ note: `shown in the last message under "${place}"` }, 0);
}

/**
 * The conversation so far as pairs of a user line and the answer to it, in at most `limitChars` characters: the newest
 * turns are kept. Roles always alternate, which some models' templates demand.
 */
export function conversationMessages(input: PromptInput, limitChars: number): Message[] {
  const places = placesShown(input);
  const kept: Message[] = [];
  let left = limitChars;
  for (const turn of input.conversation.toReversed()) {
    const line = `The build so far: ${turn.phase}, attempt ${turn.attempt}, answer of ${turn.role}`;
    const answer = answerOf(turn, places);
    left -= line.length + answer.length;
    if (left < 0) break;
    kept.unshift({ role: 'user', content: line }, { role: 'assistant', content: answer });
  }
  return kept;
}
