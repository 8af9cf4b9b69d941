import { readFileSync, statSync } from 'node:fs';
import type { Fault } from './machine/json.ts';

/** More than any list of keys needs, and little enough that the wrong file is not read into memory. */
const LIMIT_BYTES = 64 * 1024;

/** The variable that names the file with a secret's value, as container engines hand secrets over. */
export const fileVariable = <Name extends string>(name: Name): `${Name}_FILE` => `${name}_FILE`;

export type Secrets = Readonly<{ values: Readonly<Record<string, string>>; faults: readonly Fault[] }>;

/**
 * Reads the secrets of `names` that an environment gives by file; white space around a value is no part of it.
 * Faults repeat neither a content nor a path: what stands where a path should may be the secret itself.
 */
export function readSecretFiles(given: Readonly<Record<string, string>>, names: readonly string[]): Secrets {
  const values: Record<string, string> = {};
  const faults: Fault[] = [];
  for (const name of names) {
    const at = fileVariable(name);
    const path = given[at];
    if (path === undefined) continue;
    const read =
      given[name] === undefined ? readSecret(path) : { fault: `and ${name} are both given: set one of them` };
    if ('fault' in read) faults.push({ at, fault: read.fault });
    else values[name] = read.value;
  }
  return { values, faults };
}

function readSecret(path: string): { value: string } | { fault: string } {
  try {
    const stat = statSync(path);
    // Reading from a pipe or a terminal would wait for ever.
    if (!stat.isFile()) return { fault: 'must name a regular file' };
    if (stat.size > LIMIT_BYTES)
      return { fault: `names a file of more than ${LIMIT_BYTES} bytes: no secret is that long` };
    const value = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)).trim();
    return value === '' ? { fault: 'names an empty file: write the secret into it, or unset the variable' } : { value };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

function faultOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'names a file that does not exist';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'names a file that is not UTF-8 text';
  return `names a file that cannot be read (${String(code ?? 'unknown reason')}): let this user read it`;
}
