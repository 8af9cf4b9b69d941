import { AppError } from '../errors.ts';
import type { ModelCall } from '../machine/build.ts';
import type { Phase } from '../machine/states.ts';
import { createBreaker } from './breaker.ts';
import { createConnections, type Query } from './connections.ts';
import { describeDatabase, isRefusedData, postgresReason } from './database-url.ts';
import { callRow, type FlushInput, flushDocument } from './flush-document.ts';
import { CALLS_STATEMENT, FLUSH_STATEMENT } from './flush-statement.ts';
import { storableJson } from './storable-json.ts';

export type { FlushInput } from './flush-document.ts';

export type MirrorOptions = Readonly<{
  databaseUrl: string;
  /** Connections at most. */
  poolSize: number;
  /** After a failure nothing is tried for this long. Default 1,000. */
  breakerMs?: number;
  /** Milliseconds since 1970, or any clock that does not go back. */
  nowMs?: () => number;
}>;

type FlushOptions = Readonly<{
  /** For everything: a free connection, the server's answer. */
  timeoutMs: number;
  /** Stops the waiting, not the writing: a flush that is written twice does no harm. */
  signal?: AbortSignal;
  /** The last flush of a build: tries although the one before failed a moment ago. Default false. */
  patient?: boolean;
}>;

type LostCalls = Readonly<{
  workflowId: string;
  branch: string;
  phase: Phase;
  attempt: number;
  calls: readonly ModelCall[];
}>;

/** The projection of builds into Postgres, as workers write it. */
export type Mirror = Readonly<{
  /**
   * Writes audit rows, handoffs, model calls and the build's row with one statement. Safe to repeat, in any order.
   * @throws AppError `mirror_unavailable`; the signal's reason when it was aborted
   */
  flush: (input: FlushInput, options: FlushOptions) => Promise<void>;
  /**
   * Writes calls of an attempt that was cancelled, once; none while the mirror does not know the build.
   * @throws AppError `mirror_unavailable`
   */
  recordCalls: (lost: LostCalls) => Promise<void>;
  /** Statements sent so far. */
  statements: () => number;
  close: () => Promise<void>;
}>;

const BREAKER_MS = 1_000;
const CALLS_TIMEOUT_MS = 1_000;

/** Opens no connection until the first flush. */
export function createMirror(options: MirrorOptions): Mirror {
  const { databaseUrl, poolSize, breakerMs = BREAKER_MS, nowMs = () => performance.now() } = options;
  const connections = createConnections({ databaseUrl, poolSize });
  const breaker = createBreaker(breakerMs, nowMs);
  const place = describeDatabase(databaseUrl);
  let statements = 0;

  const write = async (query: Query, timeoutMs: number): Promise<void> => {
    statements += 1;
    try {
      await connections.run(query, timeoutMs);
      breaker.succeeded();
    } catch (error) {
      if (isRefusedData(error)) breaker.succeeded();
      else breaker.failed();
      throw unavailable(`did not take the rows: ${postgresReason(error)}`);
    }
  };
  const unavailable = (what: string): AppError =>
    new AppError(
      'mirror_unavailable',
      `The mirror at ${place} ${what}. Builds go on, and their rows are sent again; check that PostgreSQL answers.`,
    );
  const refuseWhileOpen = (): void => {
    if (!breaker.mayTry()) throw unavailable('failed a moment ago and is not tried yet');
  };

  return {
    flush: async (input, { timeoutMs, signal, patient = false }) => {
      signal?.throwIfAborted();
      // First, because who may try must report how it went, and this may throw.
      const values = [storableJson(flushDocument(input))];
      if (!patient) refuseWhileOpen();
      await unlessAborted(write({ name: 'flush', text: FLUSH_STATEMENT, values }, timeoutMs), signal);
    },
    recordCalls: async ({ workflowId, branch, phase, attempt, calls }) => {
      const rows = calls.map((call) => callRow(call, phase, attempt, Date.now()));
      const values = [storableJson({ workflow_id: workflowId, branch, calls: rows })];
      refuseWhileOpen();
      await write({ name: 'calls', text: CALLS_STATEMENT, values }, CALLS_TIMEOUT_MS);
    },
    statements: () => statements,
    close: connections.close,
  };
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  work.catch(() => undefined);
  try {
    await Promise.race([work, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}
