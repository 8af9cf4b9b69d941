import { ERROR_STATUS } from '../../errors.ts';
import { ERROR_GUIDE, type PublicCode, publicCode } from '../error-guide.ts';
import { problem, problemType } from '../problem.ts';
import type { AnyRoute } from '../route.ts';
import { answerHeaders } from './headers.ts';
import type { SchemaCollector } from './schemas.ts';
import type { Response } from './types.ts';

/** With these a call may end before it is known which call it is. */
const ANY_CALL = ['invalid_body', 'loopback_only', 'request_timeout', 'headers_too_large'] as const;

/** Every code that a call may be answered with: its own, and those that follow from what it takes. */
function errorsOf(route: AnyRoute): PublicCode[] {
  const { method, open = false, reads = false, body } = route;
  const codes: PublicCode[] = [...ANY_CALL];
  if (!open) codes.push('unauthorized', 'rate_limited');
  if (!open && !reads && method !== 'get') codes.push('read_only_key');
  if (body) codes.push('body_too_large', 'unsupported_media_type');
  return [...new Set([...codes, ...route.errors.map(publicCode), 'internal' as const])];
}

/** The codes of a call by their HTTP status, in the order of the statuses. */
export function errorsByStatus(route: AnyRoute): Map<number, PublicCode[]> {
  const byStatus = new Map<number, PublicCode[]>();
  for (const code of errorsOf(route).sort((a, b) => ERROR_STATUS[a] - ERROR_STATUS[b])) {
    const status = ERROR_STATUS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

/** Whether an answer with the code says when to come back. */
const waits = (code: PublicCode): boolean =>
  ERROR_STATUS[code] === 503 || code === 'rate_limited' || code === 'gate_running';

/** What answers of one status say, when they may have these codes. `changes`: of a command, which has a key. */
export function problemResponse(
  status: number,
  codes: readonly PublicCode[],
  changes: boolean,
  schemas: SchemaCollector,
): Response {
  const narrowed = { status: { const: status }, code: { enum: codes }, type: { enum: codes.map(problemType) } };
  return {
    description: codes.map((code) => `- \`${code}\`: ${ERROR_GUIDE[code].meaning}`).join('\n'),
    headers: answerHeaders([
      'X-Request-Id',
      ...(changes && status === 503 ? (['Idempotency-Key'] as const) : []),
      ...(codes.some(waits) ? (['Retry-After'] as const) : []),
      ...(status === 429 ? (['RateLimit', 'RateLimit-Policy'] as const) : []),
      ...(status === 401 ? (['WWW-Authenticate'] as const) : []),
    ]),
    content: { 'application/problem+json': { schema: { ...schemas.of(problem, 'output'), properties: narrowed } } },
  };
}
