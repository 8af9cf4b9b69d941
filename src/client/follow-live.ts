import type { Client } from './client.ts';
import type { LiveEvent, StreamedEvent } from './contract.ts';

type LiveOptions = Readonly<{
  signal: AbortSignal | undefined;
  pollMs: number;
  /** Behind which event a connection begins; null: the first. */
  lastId(): string | null;
}>;

/** The live events of a build, over as many connections as that takes. */
export type Live = Readonly<{
  /** False while there is no connection: before the first, between two, and after the end of the build. */
  isOpen(): boolean;
  /** The next event; null when none came within the time. @throws the signal's reason */
  next(waitMs: number): Promise<LiveEvent | null>;
  close(): void;
}>;

/** Polls until a connection that failed is tried again; doubled with every failure in a row. */
const RETRY_POLLS = 2;
const RETRY_LIMIT_MS = 10_000;

type Connection = Readonly<{ events: AsyncGenerator<StreamedEvent, void>; controller: AbortController }>;
type Outcome = IteratorResult<StreamedEvent, void> | 'failed';

/** Connects with the first `next`. Why a connection failed is nobody's business here: the calls beside it will say. */
export function followLive(client: Pick<Client, 'events'>, workflowId: string, options: LiveOptions): Live {
  const { signal, pollMs, lastId } = options;
  let connection: Connection | null = null;
  let coming: Promise<Outcome> | null = null;
  let failures = 0;
  let retryAtMs = 0;
  let isOver = false;

  const connect = (): Connection => {
    const controller = new AbortController();
    return { controller, events: client.events(workflowId, { lastEventId: lastId(), signal: controller.signal }) };
  };
  const disconnect = (): void => {
    connection?.controller.abort();
    [connection, coming] = [null, null];
  };
  const settle = (outcome: Outcome): LiveEvent | null => {
    coming = null;
    if (outcome !== 'failed' && !outcome.done) {
      failures = 0;
      return outcome.value.event;
    }
    disconnect();
    isOver = outcome !== 'failed';
    // Many watch the same API, and all lose it at once.
    const waitMs = Math.min(RETRY_POLLS * pollMs * 2 ** failures, RETRY_LIMIT_MS) * (0.5 + Math.random());
    [failures, retryAtMs] = [failures + 1, Date.now() + waitMs];
    return null;
  };
  return {
    isOpen: () => connection !== null,
    next: async (waitMs) => {
      if (!isOver && connection === null && Date.now() >= retryAtMs) connection = connect();
      if (connection !== null) coming ??= connection.events.next().catch((): Outcome => 'failed');
      const outcome = await firstOf(coming, waitMs, signal);
      if (outcome === null) return null;
      const event = settle(outcome);
      // Whoever asks again at once would ask without pause.
      if (event === null) await firstOf(null, Math.min(waitMs, pollMs), signal);
      return event;
    },
    close: disconnect,
  };
}

/** What comes first: the outcome, the end of the time (null), or the signal (thrown). */
function firstOf(coming: Promise<Outcome> | null, waitMs: number, signal: AbortSignal | undefined) {
  return new Promise<Outcome | null>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const finish = (outcome: Outcome | null): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      resolve(outcome);
    };
    const timer = setTimeout(() => finish(null), waitMs);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    coming?.then(finish, () => finish('failed'));
  });
}
