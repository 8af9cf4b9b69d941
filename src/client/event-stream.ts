import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** The events of one connection; it ends when the server ends it. Breaking off closes the connection. */
export type ServerEvents = AsyncGenerator<EventSourceMessage, void>;

/** The server did not begin to answer in time. */
export class TooLate extends Error {}

/** The server sends something every 15 s: what is silent for so long is cut without anybody having said so. */
const SILENCE_LIMIT_MS = 45_000;
/** Far more than the largest event. */
const EVENT_LIMIT_CHARS = 4_000_000;

export type Opening = Readonly<{ signal?: AbortSignal | undefined; deadlineMs: number }>;

type Answer = Readonly<
  | { kind: 'events'; events: ServerEvents }
  | { kind: 'nothing to come' }
  | { kind: 'refused'; response: Response; text: string }
>;

/**
 * Connects to a stream of server-sent events.
 * @throws TooLate, or what fetch throws; the signal's reason
 */
export async function openEvents(
  url: string,
  headers: Record<string, string>,
  { signal, deadlineMs }: Opening,
): Promise<Answer> {
  const connection = new AbortController();
  const signals = signal ? [connection.signal, signal] : [connection.signal];
  const deadline = setTimeout(() => connection.abort(new TooLate()), deadlineMs);
  try {
    const response = await fetch(url, {
      headers: { ...headers, Accept: 'text/event-stream' },
      signal: AbortSignal.any(signals),
    });
    if (response.status === 204) return { kind: 'nothing to come' };
    const isStream = response.ok && response.headers.get('Content-Type')?.startsWith('text/event-stream');
    if (!isStream) return { kind: 'refused', response, text: await response.text() };
    return { kind: 'events', events: read(response, connection) };
  } finally {
    clearTimeout(deadline);
  }
}

async function* read({ body }: Response, connection: AbortController): ServerEvents {
  const arrived: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => arrived.push(event), maxBufferSize: EVENT_LIMIT_CHARS });
  const decoder = new TextDecoder();
  const silence = setTimeout(() => connection.abort(new TooLate()), SILENCE_LIMIT_MS);
  try {
    for await (const bytes of body ?? []) {
      silence.refresh();
      parser.feed(decoder.decode(bytes, { stream: true }));
      yield* arrived.splice(0);
    }
  } finally {
    clearTimeout(silence);
    connection.abort();
  }
}
