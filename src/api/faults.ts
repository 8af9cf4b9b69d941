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

/** One sentence for people who read no further than `detail`. */
export const listFaults = (faults: readonly Fault[]): string =>
  faults.map(({ at, fault }) => `${at || 'the body'} ${fault}`).join('; ');
