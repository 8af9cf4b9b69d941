import type { z } from 'zod';
import type { Fault } from '../machine/json.ts';

function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('');
}

/** A key is shown in full only when it is short: it comes from the caller. */
const shown = (key: string): string => (key.length > 80 ? `${key.slice(0, 80)}…` : key);

function faultsOfIssue(issue: z.core.$ZodIssue): Fault[] {
  const at = pathOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      at: at === '' ? shown(key) : `${at}.${shown(key)}`,
      fault: 'is not a field of this call; remove it',
    }));
  }
  return [{ at, fault: issue.message }];
}

/** Lists what a schema found, in the words of the product. */
export const faultsOf = (error: z.ZodError): Fault[] => error.issues.flatMap(faultsOfIssue);

/** Faults that are told of one call: enough to mend it. What is wrong in 100,000 places would make a larger answer than the call. */
const FAULT_LIMIT = 100;

export function boundFaults(faults: readonly Fault[]): readonly Fault[] {
  if (faults.length <= FAULT_LIMIT) return faults;
  const rest = { at: '', fault: `has ${faults.length - FAULT_LIMIT} more faults` };
  return [...faults.slice(0, FAULT_LIMIT), rest];
}

/** One sentence for people who read no further than `detail`. */
export const listFaults = (faults: readonly Fault[]): string =>
  faults.map(({ at, fault }) => `${at || 'the body'} ${fault}`).join('; ');
