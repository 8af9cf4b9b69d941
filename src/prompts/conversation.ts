import { isJsonObject, type Json } from '../machine/json.ts';
import { jsonText } from './blocks.ts';
import { fitJson, jsonChars } from './fit.ts';
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

/** Of one answer's words; the rest of the conversation is worth more. */
const RESPONSE_LIMIT_CHARS = 16_000;

type Pair = Readonly<{ line: string; answer: Json }>;

/** What an outside agent said, then what it handed on. */
function pairsOf(turn: PromptTurn, input: PromptInput): Pair[] {
  const { phase, attempt, role, content, aiResponse } = turn;
  const about = `The build so far: ${phase}, attempt ${attempt}`;
  const section = sectionShowing(turn, input);
  // JSON like any answer, so that a model does not take the note for the form in which to answer.
  const answer: Json = section === null ? content : { note: `shown in the last message under "${section}"` };
  const handedOn = { line: `${about}, answer of ${role}`, answer };
  if (aiResponse === undefined) return [handedOn];
  return [{ line: `${about}, words of ${role}`, answer: fitJson(aiResponse, RESPONSE_LIMIT_CHARS) }, handedOn];
}

/**
 * The conversation so far as pairs of a user line and the answer to it, in at most `limitChars` characters: the newest
 * turns are kept. Roles always alternate, which some models' templates demand.
 */
export function conversationMessages(input: PromptInput, limitChars: number): Message[] {
  const kept: Message[] = [];
  let left = limitChars;
  const pairs = input.conversation.flatMap((turn) => pairsOf(turn, input));
  for (const { line, answer } of pairs.toReversed()) {
    left -= line.length + jsonChars(answer, left, 0);
    if (left < 0) break;
    kept.unshift({ role: 'user', content: line }, { role: 'assistant', content: jsonText(answer, 0) });
  }
  return kept;
}
