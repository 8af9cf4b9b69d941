import type { ServerResponse } from 'node:http';

/** A reader that has more than this waiting when there is more to say is cut off, in bytes. */
export const BUFFER_LIMIT_BYTES = 256 * 1024;
/** A reader that has taken nothing for so many heartbeats is gone, or as good as that. */
const STALLED_BEATS = 2;
/** How long a browser waits before it connects again, in ms: a restarted API is back in about that time. */
const RETRY_MS = 1_000;

/** Where a stream's frames go. */
export type StreamSink = Readonly<{
  /** False once the reader is gone, or was cut off. */
  isOpen(): boolean;
  /** Sends at once; cuts the reader off instead when it is behind by more than {@link BUFFER_LIMIT_BYTES}. */
  write(frames: Buffer | string): void;
  /** Resolves when the reader has taken what was written, or is gone. */
  drained(): Promise<void>;
  /** Keeps the way open through proxies; cuts off a reader that takes nothing any more. */
  beat(): void;
  /** Says these last frames, and no more. */
  end(frames?: string): void;
  onClosed(hear: () => void): void;
}>;

/** Also where the reader has gone before anybody asked. */
export function whenClosed(res: ServerResponse, hear: () => void): void {
  if (res.closed) hear();
  else res.once('close', hear);
}

/** Begins an answer of server-sent events. */
export function openSink(res: ServerResponse): StreamSink {
  let missedBeats = 0;
  let ended = false;
  const isOpen = (): boolean => !ended && !res.destroyed && !res.writableEnded;
  const cut = (): void => void res.destroy();
  res.on('drain', () => {
    missedBeats = 0;
  });
  res.setHeader('Content-Type', 'text/event-stream');
  res.setHeader('X-Accel-Buffering', 'no');
  // The connection carries nothing else afterwards, so that a shutdown need not wait for it.
  res.setHeader('Connection', 'close');
  res.write(`retry: ${RETRY_MS}\n\n`);
  return {
    isOpen,
    write: (frames) => {
      if (!isOpen()) return;
      if (res.writableLength > BUFFER_LIMIT_BYTES) cut();
      else res.write(frames);
    },
    drained: () =>
      new Promise((resolve) => {
        if (!isOpen() || !res.writableNeedDrain) return resolve();
        const done = (): void => {
          res.off('drain', done).off('close', done);
          resolve();
        };
        res.on('drain', done).on('close', done);
      }),
    beat: () => {
      // An answer that has ended is still being taken.
      if (res.destroyed) return;
      missedBeats = res.writableLength === 0 ? 0 : missedBeats + 1;
      if (missedBeats >= STALLED_BEATS) cut();
      else if (missedBeats === 0 && isOpen()) res.write(':\n\n');
    },
    end: (frames) => {
      if (!isOpen()) return;
      ended = true;
      res.end(frames);
    },
    onClosed: (hear) => whenClosed(res, hear),
  };
}
