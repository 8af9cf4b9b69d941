import { isJsonObject, type JsonObject } from '../../machine/json.ts';
import type { ToolSpec } from '../llm/tool-call.ts';

const PATHS_LIMIT = 20;

const spec = (name: string, description: string, properties: JsonObject, required: readonly string[]): ToolSpec => ({
  name,
  description,
  parameters: { type: 'object', properties, required, additionalProperties: false },
});

const text = (description: string): JsonObject => ({ type: 'string', description });
const line = (description: string): JsonObject => ({ type: 'integer', minimum: 1, description });

/** What a role may ask for to see more of the project than its prompt shows. */
export const FILE_TOOLS: readonly ToolSpec[] = [
  spec(
    'read_files',
    'Gives the text of files of the project, or the same range of lines of each.',
    {
      paths: {
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        maxItems: PATHS_LIMIT,
        description: 'Paths as under `## Tree` or `## Files`.',
      },
      from_line: line('The first line to give, counted from 1; the first of the file if absent.'),
      to_line: line('The last line to give; the last of the file if absent.'),
    },
    ['paths'],
  ),
  spec(
    'list_files',
    'Lists what is in a folder of the project: files with their sizes, folders with the number of files in them.',
    { folder: text('Its path; "" is the root of the project.') },
    ['folder'],
  ),
  spec(
    'search_text',
    'Finds the lines of the project that contain a text, to the letter.',
    {
      text: text('What to look for: a part of one line.'),
      folder: text('Where to look; the whole project if absent.'),
    },
    ['text'],
  ),
];

/** One call that can be answered. Folders have no `/` at their ends; the root is ''. */
export type FileRequest = Readonly<
  | { tool: 'read_files'; paths: readonly string[]; fromLine: number; toLine: number }
  | { tool: 'list_files'; folder: string }
  | { tool: 'search_text'; text: string; folder: string }
>;

export type ReadArguments = Readonly<{ ok: true; request: FileRequest } | { ok: false; fault: string }>;

const no = (fault: string): ReadArguments => ({ ok: false, fault });
const isLine = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value > 0;
const isMissing = (value: unknown): value is null | undefined => value === undefined || value === null;

const folderOf = (given: string): string =>
  given
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '');

function readFiles({ paths, from_line: from, to_line: to }: JsonObject): ReadArguments {
  if (!Array.isArray(paths) || paths.length === 0 || !paths.every((path) => typeof path === 'string')) {
    return no('`paths` must be a list of at least one path');
  }
  if (paths.length > PATHS_LIMIT) return no(`\`paths\` has ${paths.length} entries: at most ${PATHS_LIMIT} are taken`);
  if ((!isMissing(from) && !isLine(from)) || (!isMissing(to) && !isLine(to))) {
    return no('`from_line` and `to_line` must be whole numbers from 1');
  }
  const lines = { fromLine: isLine(from) ? from : 1, toLine: isLine(to) ? to : Number.POSITIVE_INFINITY };
  if (lines.fromLine > lines.toLine) return no('`from_line` is after `to_line`');
  return { ok: true, request: { tool: 'read_files', paths: [...new Set(paths as string[])], ...lines } };
}

function listFiles({ folder }: JsonObject): ReadArguments {
  if (!isMissing(folder) && typeof folder !== 'string') return no('`folder` must be a path');
  return { ok: true, request: { tool: 'list_files', folder: folderOf(folder ?? '') } };
}

function searchText({ text: sought, folder }: JsonObject): ReadArguments {
  if (typeof sought !== 'string' || sought.trim() === '') return no('`text` must be a text that is not blank');
  if (/[\r\n]/.test(sought)) return no('`text` must be a part of one line');
  if (!isMissing(folder) && typeof folder !== 'string') return no('`folder` must be a path');
  return { ok: true, request: { tool: 'search_text', text: sought, folder: folderOf(folder ?? '') } };
}

function parse(given: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(given.trim() === '' ? '{}' : given);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Reads what a model wrote for a call. A fault is a sentence for the model. */
export function readArguments(name: string, given: string): ReadArguments {
  const values = parse(given);
  const known = FILE_TOOLS.map((tool) => tool.name);
  if (!known.includes(name)) return no(`there is no tool ${JSON.stringify(name)}: there are ${known.join(', ')}`);
  if (values === null) return no('the arguments are not a JSON object');
  if (name === 'read_files') return readFiles(values);
  return name === 'list_files' ? listFiles(values) : searchText(values);
}
