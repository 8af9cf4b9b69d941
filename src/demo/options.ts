import { parseArgs } from 'node:util';
import type { SourceRequest } from '../client/client.ts';
import { readSource } from './source-option.ts';

export type DemoOptions = Readonly<{
  requirements: string;
  /** The code that the build begins with; null for a build that begins with nothing. */
  source: SourceRequest | null;
  keep: boolean;
  paceMs: number;
}>;
export type DemoCommand = Readonly<
  { kind: 'run'; options: DemoOptions } | { kind: 'help' } | { kind: 'wrong'; fault: string }
>;

const DEFAULT_REQUIREMENTS =
  'A function that slugifies article titles: lower case words joined by single hyphens, accents stripped, a longest ' +
  'length that keeps words whole, and a number added to a slug that is already taken.';
const DEFAULT_PACE_MS = 300;
const PACE_LIMIT_MS = 60_000;

/** @param recipes what the simulated model can play, for people */
export const demoUsage = (recipes: readonly string[]): string => `Usage: npm run demo -- [options]

Starts everything that is not configured (PostgreSQL, Temporal, a simulated model), runs one build
from requirements to release, shows it as it happens, and stops everything again.

Options:
  --requirements "…"  what to build, in your own words
  --source <place>    the git repository that the build begins with, by its path or address
  --ref <name>        the branch, tag or commit of it (default: what is checked out there)
  --keep              leave everything up at the end, to look around; Ctrl-C stops it
  --pace <ms>         how long the simulated model takes for an answer (default ${DEFAULT_PACE_MS})
  --help              this text

With OPENAI_API_KEY, ANTHROPIC_API_KEY or LOCAL_MODEL_BASE_URL set, real models play the roles.
Without one, the simulated model plays them from these recipes:
${recipes.map((recipe) => `  - ${recipe}`).join('\n')}
For any other requirements it only records them, and says so.
`;

/** Reads the command line. */
export function readDemoCommand(args: readonly string[]): DemoCommand {
  let values: { requirements?: string; source?: string; ref?: string; keep?: boolean; pace?: string; help?: boolean };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        requirements: { type: 'string' },
        source: { type: 'string' },
        ref: { type: 'string' },
        keep: { type: 'boolean' },
        pace: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }));
  } catch (error) {
    return { kind: 'wrong', fault: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return { kind: 'help' };
  const { requirements = DEFAULT_REQUIREMENTS, pace = String(DEFAULT_PACE_MS) } = values;
  if (requirements.trim() === '') {
    return { kind: 'wrong', fault: '--requirements is empty: say in a few words what to build' };
  }
  if (!/^\d{1,5}$/.test(pace) || Number(pace) > PACE_LIMIT_MS) {
    const fault = `--pace is "${pace}": give whole milliseconds from 0 to ${PACE_LIMIT_MS}`;
    return { kind: 'wrong', fault };
  }
  const { source: place, ref } = values;
  if (ref !== undefined && place === undefined) return { kind: 'wrong', fault: '--ref goes together with --source' };
  const source = place === undefined ? null : readSource(place, ref);
  return { kind: 'run', options: { requirements, source, keep: values.keep === true, paceMs: Number(pace) } };
}
