import { randomUUID } from 'node:crypto';
import type { Fault } from '../machine/json.ts';

/** What can stand in a header and is answered as it came. */
export const IDEMPOTENCY_KEY_PATTERN = '^[\\x21-\\x7e]{1,200}$';
const SANE_KEY = new RegExp(IDEMPOTENCY_KEY_PATTERN);

/** The caller's key, or one made for this call. */
export function readIdempotencyKey(given: string | undefined): { key: string; faults: Fault[] } {
  if (given === undefined) return { key: randomUUID(), faults: [] };
  const fault = 'must be 1 to 200 visible ASCII characters';
  return { key: given, faults: SANE_KEY.test(given) ? [] : [{ at: 'Idempotency-Key', fault }] };
}
