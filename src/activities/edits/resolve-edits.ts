import type { Fault, JsonObject } from '../../machine/json.ts';
import { applyDiff } from './apply-diff.ts';
import { type Edited, searchAndReplace } from './search-replace.ts';

export type WholeFile = Readonly<{ path: string; content: string }>;

/** One edit of a file that exists: the one place at which `search` stands, or a unified diff. */
export type FileEdit = Readonly<{ path: string; search: string; replace: string } | { path: string; diff: string }>;

/** What an answer changes, as it was given. */
export type Changes = Readonly<{
  files: readonly WholeFile[];
  edits: readonly FileEdit[];
  deleted: readonly string[];
}>;

/** What is known of the tree. `contents`: of every path that is edited and exists, its text; null when it is none. */
export type EditedTree = Readonly<{ paths: ReadonlySet<string>; contents: ReadonlyMap<string, string | null> }>;

export type Resolved = Readonly<{ ok: true; files: readonly WholeFile[] } | { ok: false; faults: readonly Fault[] }>;

/** Of one answer. */
export const EDITS_LIMIT = 500;

const SUGGESTED_PATHS = 3;
/** More are not looked for: each costs a search for what may have been meant. */
const FAULTS_LIMIT = 20;

/** The changes of an answer whose shape was checked before. */
export const changesOf = (value: JsonObject): Changes => {
  const listed = <T>(name: string): readonly T[] => (Array.isArray(value[name]) ? (value[name] as unknown as T[]) : []);
  return { files: listed('files'), edits: listed('edits'), deleted: listed('deleted_files') };
};

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function missing(path: string, paths: ReadonlySet<string>): string {
  const alike = [...paths].filter((known) => nameOf(known) === nameOf(path)).slice(0, SUGGESTED_PATHS);
  const hint = alike.length === 0 ? '' : `; there is ${alike.map((known) => JSON.stringify(known)).join(', ')}`;
  return `is no file of the project${hint}`;
}

/** Edits of what is no file of the project, or is given in another way as well. */
function pathFaults({ files, edits, deleted }: Changes, { paths }: EditedTree): Fault[] {
  const whole = new Set(files.map(({ path }) => path));
  const gone = new Set(deleted);
  return edits.flatMap(({ path }, index): Fault[] => {
    const say = (fault: string): Fault[] => [{ at: `/edits/${index}/path`, fault: `${JSON.stringify(path)} ${fault}` }];
    if (whole.has(path)) return say('is also given whole in `files`: give one of the two');
    if (gone.has(path)) return say('is also in `deleted_files`: give one of the two');
    if (paths.has(path)) return [];
    return say(`${missing(path, paths)}; edits change files that exist, a new one goes into \`files\``);
  });
}

function edited(content: string, edit: FileEdit): Edited {
  return 'diff' in edit
    ? applyDiff(content, edit.diff, edit.path)
    : searchAndReplace(content, edit.search, edit.replace);
}

function applyEdits(
  edits: readonly FileEdit[],
  { contents }: EditedTree,
): { faults: Fault[]; texts: ReadonlyMap<string, string> } {
  const texts = new Map<string, string>();
  const faults: Fault[] = [];
  for (const [index, edit] of edits.entries()) {
    if (faults.length >= FAULTS_LIMIT) break;
    const { path } = edit;
    const content = texts.get(path) ?? contents.get(path);
    if (content === undefined) continue;
    const after: Edited =
      content === null
        ? { ok: false, fault: 'is no text, or too large to be edited: replace it whole in `files`, or leave it' }
        : edited(content, edit);
    if (after.ok) texts.set(path, after.content);
    else faults.push({ at: `/edits/${index}`, fault: `${JSON.stringify(path)}: ${after.fault}` });
  }
  return { faults, texts };
}

/**
 * Turns an answer's files and edits into whole files. Edits of one file are made in their order, each on what the one
 * before it left; the faults of the edits are listed, in words for their author. Paths are checked where files are.
 */
export function resolveEdits(changes: Changes, tree: EditedTree): Resolved {
  const { edits } = changes;
  if (edits.length > EDITS_LIMIT) {
    const fault = `${edits.length} edits: at most ${EDITS_LIMIT} are taken in one answer; give files whole instead`;
    return { ok: false, faults: [{ at: '/edits', fault }] };
  }
  const { faults, texts } = applyEdits(edits, tree);
  const all = [...pathFaults(changes, tree), ...faults];
  if (all.length > 0) return { ok: false, faults: all };
  const ofEdits = [...texts].map(([path, content]) => ({ path, content }));
  return { ok: true, files: [...changes.files, ...ofEdits] };
}
