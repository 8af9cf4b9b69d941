import { isJsonObject, type Json } from '../machine/json.ts';
import { jsonText } from './blocks.ts';
import { jsonChars } from './fit.ts';
import type { Message, PromptInput, PromptTurn } from './prompt-input.ts';

/** Compares without writing JSON: answers may have megabytes, and most differ at once. */
function isSame(a: Json, b: Json): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, at) => isSame(item, b[at]));
  if (!isJsonObject(a) || !isJsonObject(b)) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name] ?? null, b[name] ?? null))
  );
}

/** The section of the last message that shows the same content, if one does: the turn need not repeat it. */
function sectionShowing({ phase, content }: PromptTurn, { earlierResults, feedback }: PromptInput): string | null {
  const shows = (shown: PromptInput['earlierResults'][number]): boolean =>
    shown.phase === phase && isSame(shown.result, content);
  if (earlierResults.some(shows)) return 'Earlier results';
  return feedback.some(({ rejected }) => rejected.some(shows)) ? 'Sent back' : null;
}

/**
 * The conversation so far as pairs of a user line and the answer to it, in at most `limitChars` characters: the newest
 * turns are kept. Roles always alternate, which some models' templates demand.
 */
export function conversationMessages(input: PromptInput, limitChars: number): Message[] {
  const kept: Message[] = [];
  let left = limitChars;
  for (const turn of input.conversation.toReversed()) {
    const line = `The build so far: ${turn.phase}, attempt ${turn.attempt}, answer of ${turn.role}`;
    const section = sectionShowing(turn, input);
    // JSON like any answer, so that a model does not take the note for the form in which to answer.
    const answer: Json = section === null ? turn.content : { note: `shown in the last message under "${section}"` };
    left -= line.length + jsonChars(answer, left, 0);
    if (left < 0) break;
    kept.unshift({ role: 'user', content: line }, { role: 'assistant', content: jsonText(answer, 0) });
  }
  return kept;
}
