import { causeOf } from './classify.ts';
import { AnswerFault } from './failure.ts';

export type SseReader = Readonly<{
  /** The most one event, or the part of it that has no end yet, may hold. */
  eventLimitChars: number;
  /** Called for every piece that arrives, comments included. */
  onChunk: (() => void) | undefined;
  /** Called with the data of every event. */
  onEvent: (data: string) => void;
}>;

/**
 * Reads server-sent events from a body to its end. Read here and not by the provider's client, because that one keeps an
 * event without end in memory for ever, and logs what it cannot parse.
 *
 * @throws AnswerFault `StreamCut` when the connection breaks, `AnswerTooLarge` past the limit.
 */
export async function readEvents(body: AsyncIterable<Uint8Array>, reader: SseReader): Promise<void> {
  const source = body[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  const event: { data: string } = { data: '' };
  let rest = '';
  for (;;) {
    const piece = await readPiece(source);
    reader.onChunk?.();
    const text = piece === undefined ? `${decoder.decode()}\n\n` : decoder.decode(piece, { stream: true });
    // Nothing is searched before its line is whole: a line of many pieces is joined once, not once per piece.
    rest = text.includes('\n') ? takeLines(rest + text, event, reader) : rest + text;
    if (rest.length + event.data.length > reader.eventLimitChars) {
      throw new AnswerFault('AnswerTooLarge', `one event of the answer is over ${reader.eventLimitChars} characters.`);
    }
    if (piece === undefined) return;
  }
}

async function readPiece(source: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    const { done, value } = await source.next();
    return done ? undefined : value;
  } catch (error) {
    throw new AnswerFault('StreamCut', `the connection broke before the answer's end (${causeOf(error)}).`);
  }
}

/** Handles all complete lines; what follows the last line break is returned. */
function takeLines(text: string, event: { data: string }, { onEvent }: SseReader): string {
  let start = 0;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
    const line = text.slice(start, text.charCodeAt(end - 1) === 0x0d ? end - 1 : end);
    start = end + 1;
    if (line.startsWith('data:')) {
      const data = line.slice(line.startsWith('data: ') ? 6 : 5);
      event.data = event.data === '' ? data : `${event.data}\n${data}`;
    } else if (line === '' && event.data !== '') {
      const { data } = event;
      event.data = '';
      onEvent(data);
    }
  }
  return text.slice(start);
}

/** Reads a body as one text, under the same faults as `readEvents`. */
export async function readText(
  body: AsyncIterable<Uint8Array>,
  limitChars: number,
  onChunk: (() => void) | undefined,
): Promise<string> {
  const source = body[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const piece = await readPiece(source);
    if (piece === undefined) return text + decoder.decode();
    onChunk?.();
    text += decoder.decode(piece, { stream: true });
    if (text.length > limitChars) {
      throw new AnswerFault('AnswerTooLarge', `the answer is over ${limitChars} characters.`);
    }
  }
}
