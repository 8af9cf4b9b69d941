import type { Commit } from '../../machine/build.ts';
import { clipText } from '../../machine/json.ts';
import { oneLine, textBlock } from '../../prompts/blocks.ts';
import type { ToolCall } from '../llm/tool-call.ts';
import type { FilesForPrompt, TreeFile } from '../workspace/tree.ts';
import type { Workspaces } from '../workspace/workspaces.ts';
import { type FileRequest, readArguments } from './tool-arguments.ts';

/** Where the files are read: nothing but git's own tree is looked at, so a path can lead nowhere else. */
export type FilePlace = Readonly<{
  workspaces: Pick<Workspaces, 'readFiles' | 'listFiles'>;
  workflowId: string;
  at: Pick<Commit, 'commit' | 'bundle'>;
  signal: AbortSignal;
}>;

const READ_LIMIT_BYTES = 8 * 1024 * 1024;
/** Of one file in one answer; a longer one is read in ranges. */
const FILE_LIMIT_CHARS = 30_000;
const ENTRIES_LIMIT = 400;
const MATCHES_LIMIT = 100;
const MATCH_LIMIT_CHARS = 200;

function read({ workspaces, workflowId, at, signal }: FilePlace, choose: (tree: readonly TreeFile[]) => string[]) {
  const commit = { workflowId, commit: at.commit, bundle: at.bundle, signal };
  return workspaces.readFiles({ ...commit, limitBytes: READ_LIMIT_BYTES, choose });
}

/** The lines that were asked for, whole ones, as many as fit. */
function rangeOf(content: string, fromLine: number, toLine: number): { text: string; about: string } {
  const lines = content.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const wanted = lines.slice(fromLine - 1, toLine);
  let left = FILE_LIMIT_CHARS;
  const kept = wanted.filter((line) => {
    left -= line.length + 1;
    return left >= 0;
  });
  if (wanted.length === 0) return { text: '', about: `no such lines: it has ${lines.length}` };
  // A line that alone is too long is cut, or it could never be seen.
  const text = kept.length === 0 ? clipText(wanted[0] ?? '', FILE_LIMIT_CHARS) : kept.join('\n');
  const last = fromLine + Math.max(1, kept.length) - 1;
  const whole = fromLine === 1 && kept.length === lines.length;
  const ends = content.endsWith('\n') || content === '' ? '' : ', no line break at its end';
  return { text, about: whole ? `whole${ends}` : `lines ${fromLine} to ${last} of ${lines.length}` };
}

async function readFiles(place: FilePlace, request: FileRequest & { tool: 'read_files' }): Promise<string> {
  const wanted = new Set(request.paths);
  const found = await read(place, (tree) => tree.flatMap(({ path }) => (wanted.has(path) ? [path] : [])));
  const texts = new Map(found.files.map(({ path, content }) => [path, content]));
  const sizes = new Map(found.omitted.map(({ path, bytes }) => [path, bytes]));
  const blocks = request.paths.map((path) => {
    const heading = `### ${clipText(oneLine(path), 300)}`;
    const content = texts.get(path);
    if (content !== undefined) {
      const { text, about } = rangeOf(content, request.fromLine, request.toLine);
      return `${heading} (${about})\n${textBlock(text)}`;
    }
    const bytes = sizes.get(path);
    return `${heading}\n${bytes === undefined ? 'is no file of the project' : `is no text, or too large: ${bytes} bytes`}`;
  });
  return blocks.join('\n\n');
}

const isBelow = (path: string, folder: string): boolean => folder === '' || path.startsWith(`${folder}/`);

async function listFiles({ workspaces, workflowId, at, signal }: FilePlace, folder: string): Promise<string> {
  const tree = await workspaces.listFiles({ workflowId, commit: at.commit, bundle: at.bundle, signal });
  const folders = new Map<string, number>();
  const files: string[] = [];
  for (const { path, bytes } of tree) {
    if (!isBelow(path, folder)) continue;
    const rest = folder === '' ? path : path.slice(folder.length + 1);
    const slash = rest.indexOf('/');
    if (slash === -1) files.push(`${oneLine(rest)} (${bytes} bytes)`);
    else folders.set(rest.slice(0, slash + 1), (folders.get(rest.slice(0, slash + 1)) ?? 0) + 1);
  }
  const lines = [...[...folders].map(([name, count]) => `${oneLine(name)} (${count} files)`), ...files].sort();
  if (lines.length === 0) return `There is no folder ${JSON.stringify(clipText(folder, 300))} in the project.`;
  const more = lines.length > ENTRIES_LIMIT ? [`[… ${ENTRIES_LIMIT} of ${lines.length} entries]`] : [];
  return textBlock([...lines.slice(0, ENTRIES_LIMIT), ...more].join('\n'));
}

const smallestFirst = (tree: readonly TreeFile[], folder: string): string[] => {
  let left = READ_LIMIT_BYTES;
  return tree
    .filter(({ path }) => isBelow(path, folder))
    .sort((a, b) => a.bytes - b.bytes || (a.path < b.path ? -1 : 1))
    .flatMap(({ path, bytes }) => {
      left -= bytes;
      return left >= 0 ? [path] : [];
    });
};

function matchesOf({ files }: FilesForPrompt, sought: string): string[] {
  return files.flatMap(({ path, content }) => {
    if (!content.includes(sought)) return [];
    return content.split('\n').flatMap((line, index) => {
      const place = `${oneLine(path)}:${index + 1}`;
      return line.includes(sought) ? [`${place}: ${clipText(line.trim(), MATCH_LIMIT_CHARS)}`] : [];
    });
  });
}

async function searchText(place: FilePlace, { text, folder }: FileRequest & { tool: 'search_text' }): Promise<string> {
  const found = await read(place, (tree) => smallestFirst(tree, folder));
  const matches = matchesOf(found, text);
  const unread = found.omitted.filter(({ path }) => isBelow(path, folder)).length;
  const notSearched = unread === 0 ? '' : ` ${unread} files were not searched: they are no text, or too large.`;
  if (matches.length === 0) return `No line contains it.${notSearched}`;
  const more = matches.length > MATCHES_LIMIT ? `The first ${MATCHES_LIMIT} of ${matches.length} lines.` : '';
  return `${more}${notSearched}\n${textBlock(matches.slice(0, MATCHES_LIMIT).join('\n'))}`.trim();
}

/** Answers a model's call in text, whatever it wrote. Fails only as the workspaces do. */
export async function runFileTool(place: FilePlace, { name, arguments: given }: ToolCall): Promise<string> {
  const read = readArguments(name, given);
  if (!read.ok) return `The call was not understood: ${read.fault}.`;
  const { request } = read;
  switch (request.tool) {
    case 'read_files':
      return await readFiles(place, request);
    case 'list_files':
      return await listFiles(place, request.folder);
    case 'search_text':
      return await searchText(place, request);
  }
}
