import { clean, pad, widthOf } from '../demo/text.ts';
import type { Call } from './command.ts';

/** What a shell is told; a signal ends the command with 128 and its number. */
export const EXIT = {
  done: 0,
  failed: 1,
  wrongUsage: 2,
  /** Nothing was refused: the API is away, did not answer in time or asked to come back later. */
  later: 3,
} as const;

type Told = Pick<Call, 'streams' | 'values'>;

export const printJson = ({ streams }: Told, value: object): void => {
  streams.output.write(`${JSON.stringify(value)}\n`);
};

function textOf(value: unknown): string {
  if (typeof value === 'string') return clean(value);
  const isList = Array.isArray(value) && value.some((entry) => typeof entry === 'object');
  return isList ? `${value.length} (--json shows them)` : clean(JSON.stringify(value));
}

/** Shows an answer: its fields one below the other, or as JSON. */
export function show(told: Told, reply: object): void {
  if (told.values.json) {
    printJson(told, reply);
    return;
  }
  const width = Math.max(...Object.keys(reply).map((name) => name.length));
  for (const [name, value] of Object.entries(reply)) {
    told.streams.output.write(`${name.padEnd(width)}  ${textOf(value)}\n`);
  }
}

/** Columns as wide as their widest cell. Never cut: what is shown may be read by a program. */
export function printRows({ streams }: Told, rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => widthOf(row[at] ?? ''))));
  for (const row of rows) {
    const cells = row.map((cell, at) => pad(cell, widths[at] ?? 0));
    streams.output.write(`${cells.join('  ').trimEnd()}\n`);
  }
}
