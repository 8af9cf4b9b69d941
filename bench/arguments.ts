import { parseArgs } from 'node:util';

export const CASES = [
  'latency',
  'throughput',
  'histories',
  'memory',
  'load',
  'calls',
  'requests',
  'lists',
  'signals',
  'sandbox',
  'workspace',
  'crash',
  'real',
] as const;
export type Case = (typeof CASES)[number];

export type BenchArguments = Readonly<{
  quick: boolean;
  cases: ReadonlySet<Case>;
  /** Where the figures go as JSON. */
  jsonFile: string | null;
  /** Where a processor profile of the worker under test goes. */
  profileDir: string | null;
}>;

export const USAGE = `npm run bench -- [--quick] [--only ${CASES.join(',')}] [--json FILE] [--profile FOLDER]`;

/** @throws Error with the usage when an argument is not known */
export function readArguments(args: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const asked = values.only?.split(',').map((name) => name.trim()) ?? CASES;
  const unknown = asked.filter((name) => !CASES.some((known) => known === name));
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(',')}: no such case; use ${USAGE}`);
  return {
    quick: values.quick,
    cases: new Set(CASES.filter((name) => asked.includes(name))),
    jsonFile: values.json ?? null,
    profileDir: values.profile ?? null,
  };
}
