import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs';

const KEPT_LIMIT_BYTES = 5_000_000;
const TAIL_LIMIT_BYTES = 64_000;

/** The end of a log file that did not exist when the reader started, or what was added since. */
export type LogReader = () => string;

/** Moves a log that grew large aside, and reads what is written to it from now on. */
export function followLog(path: string): LogReader {
  const size = sizeOf(path);
  if (size > KEPT_LIMIT_BYTES) renameSync(path, `${path}.old`);
  const from = size > KEPT_LIMIT_BYTES ? 0 : size;
  return () => readFrom(path, from);
}

/** The last lines as one, for an error message. */
export function lastLines(text: string, count = 4): string {
  return text.trim().split('\n').slice(-count).join(' | ').slice(-800) || 'nothing was logged';
}

function readFrom(path: string, from: number): string {
  const length = Math.min(sizeOf(path) - from, TAIL_LIMIT_BYTES);
  if (length <= 0) return '';
  const buffer = Buffer.alloc(length);
  const file = openSync(path, 'r');
  try {
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, length, from));
  } finally {
    closeSync(file);
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
