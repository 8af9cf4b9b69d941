import { createParser } from 'eventsource-parser';
import { onTestFinished } from 'vitest';

export type SeenEvent = Readonly<{ id: string | undefined; event: string | undefined; data: Record<string, unknown> }>;

/** A stream of server-sent events as its reader sees it. */
export type EventReader = Readonly<{
  status: number;
  headers: Headers;
  /** All that came so far, as it came. */
  text(): string;
  events: readonly SeenEvent[];
  comments: readonly string[];
  ids(): (string | undefined)[];
  /** Settles when the stream has ended, whoever ended it. */
  ended: Promise<void>;
  close(): void;
}>;

/** Connects, and reads to the end of the stream or of the test. */
export async function readEvents(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const response = await fetch(url, { headers, signal: controller.signal });
  const [events, comments]: [SeenEvent[], string[]] = [[], []];
  let text = '';
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      events.push({ id, event, data: JSON.parse(data) as Record<string, unknown> });
    },
    onComment: (comment) => {
      comments.push(comment.trim());
    },
  });
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) {
      const chunk = decoder.decode(bytes, { stream: true });
      text += chunk;
      if (response.ok) parser.feed(chunk);
    }
  };
  return {
    ...{ status: response.status, headers: response.headers, events, comments },
    text: () => text,
    ids: () => events.map(({ id }) => id),
    ended: read().catch(() => undefined),
    close: () => controller.abort(),
  };
}
