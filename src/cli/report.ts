import { ApiError } from '../client/api-error.ts';
import { clean } from '../demo/text.ts';
import { UsageError } from './command.ts';
import { helpOf } from './help.ts';
import { EXIT } from './output.ts';

/** What a person can do about a refusal, beside what its message says. */
function remedies({ code, facts }: ApiError): string[] {
  const { faults, idempotencyKey, retryAfterS, requestId } = facts;
  const mayHaveTakenEffect = code === 'no_answer' || code === 'no_worker' || code === 'temporal_unreachable';
  return [
    ...faults.map(({ at, fault }) => `  ${clean(at)} ${clean(fault)}`),
    ...(code === 'unauthorized' ? ['Set Q_API_KEY to the secret of a key that this API knows.'] : []),
    ...(mayHaveTakenEffect && idempotencyKey !== null
      ? [`To repeat it safely add --idempotency-key ${idempotencyKey}`]
      : []),
    ...(retryAfterS === null ? [] : [`Ask again in ${retryAfterS} s.`]),
    ...(requestId === null ? [] : [`Request id: ${clean(requestId)}`]),
  ];
}

function exitCodeOf({ facts: { status } }: ApiError): number {
  return status === null || status === 429 || status === 503 ? EXIT.later : EXIT.failed;
}

const lines = (...texts: readonly string[]): string => `${texts.join('\n')}\n`;

/** What to tell when a command fails, and its exit code. */
export function reportOf(error: unknown): Readonly<{ text: string; code: number }> {
  if (error instanceof UsageError) {
    return { text: lines(error.message, '', helpOf(error.command).trimEnd()), code: EXIT.wrongUsage };
  }
  if (error instanceof ApiError) {
    return { text: lines(`${error.code}: ${clean(error.message)}`, ...remedies(error)), code: exitCodeOf(error) };
  }
  return { text: lines(error instanceof Error ? (error.stack ?? error.message) : String(error)), code: EXIT.failed };
}
