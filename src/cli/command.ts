import { parseArgs } from 'node:util';
import type { Client } from '../client/client.ts';
import type { createScreen, Screen } from '../demo/screen.ts';

/** Where a command reads from and writes to. */
export type Streams = Readonly<{
  input: AsyncIterable<string | Uint8Array>;
  output: Parameters<typeof createScreen>[0];
  errors: Parameters<typeof createScreen>[1];
}>;

/** Every option of every command, and the word that stands for its value in the help. */
export const OPTIONS = {
  url: { type: 'string', value: '<address>' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  'idempotency-key': { type: 'string', value: '<text>' },
  project: { type: 'string', value: '<id>' },
  user: { type: 'string', value: '<id>' },
  build: { type: 'string', value: '<id>' },
  model: { type: 'string', value: '<name>' },
  external: { type: 'string', multiple: true, value: '<role>' },
  metadata: { type: 'string', value: '<json>' },
  'coverage-min': { type: 'string', value: '<percent>' },
  source: { type: 'string', value: '<path or address>' },
  ref: { type: 'string', value: '<name>' },
  watch: { type: 'boolean' },
  role: { type: 'string', value: '<role>' },
  state: { type: 'string', value: '<state>' },
  result: { type: 'string', value: '<json>' },
  'next-state': { type: 'string', value: '<state>' },
  'expected-state': { type: 'string', value: '<state>' },
  to: { type: 'string', value: '<phase>' },
  reason: { type: 'string', value: '<text>' },
  status: { type: 'string', value: '<status>' },
  limit: { type: 'string', value: '<n>' },
  cursor: { type: 'string', value: '<text>' },
  download: { type: 'string', value: '<name>' },
  output: { type: 'string', value: '<file>' },
} as const;

export type OptionName = keyof typeof OPTIONS;

/** A command line that cannot be carried out; `command` is the one whose help says how it can. */
export class UsageError extends Error {
  readonly command: string | null;

  constructor(message: string, command: string | null = null) {
    super(message);
    this.command = command;
  }
}

/** @throws UsageError for options that no command has, and values that are missing */
export function parseLine(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, tokens: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export type Values = ReturnType<typeof parseLine>['values'];

export type Call = Readonly<{
  client: Client;
  streams: Streams;
  screen: Screen;
  /** What stands behind the command's name; empty for a command that has no subject. */
  subject: string;
  values: Values;
}>;

type OptionHelp = Readonly<{ says: string; required?: true }>;
export type OptionHelps = Readonly<Partial<Record<OptionName, OptionHelp>>>;

export type Command = Readonly<{
  /** What stands behind the command's name. */
  subject: 'requirements' | 'workflow_id' | 'project_id' | null;
  says: string;
  /** Its own, beside those of {@link commonOptions}. */
  options: OptionHelps;
  /** True for commands that change a build. */
  changes?: true;
  /** Gives the exit code. */
  run: (call: Call) => Promise<number>;
}>;

/** The options that are not a command's alone. */
export const commonOptions = ({ changes }: Command): OptionHelps => ({
  ...(changes ? { 'idempotency-key': { says: 'repeated with the same one, it takes effect once' } } : {}),
  url: { says: 'where the API is (default http://127.0.0.1:3000)' },
  json: { says: 'print answers as JSON, one value per line' },
  help: { says: 'this text' },
});

/** The value of an option that the command cannot do without. @throws UsageError */
export function required(values: Values, name: 'role' | 'state' | 'to' | 'reason'): string {
  const value = values[name];
  if (value === undefined || value.trim() === '') throw new UsageError(`--${name} is missing`);
  return value;
}

/** @throws UsageError */
export function numberOf(values: Values, name: 'coverage-min' | 'limit'): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && !Number.isNaN(value)) return value;
  throw new UsageError(`--${name} is "${text}": give a number`);
}
