import type { Commit } from '../../machine/build.ts';
import { checkFiles, type TreeEntry } from '../../machine/file-paths.ts';
import type { Fault, JsonObject } from '../../machine/json.ts';
import { checkPhaseResult, isTestPath } from '../../machine/payloads.ts';
import type { Phase } from '../../machine/states.ts';
import { changesOf, resolveEdits, type WholeFile } from '../edits/resolve-edits.ts';
import type { Check, Verdict } from '../llm/ask.ts';
import type { Attempt } from './ask-role.ts';

/** Of all files together that one answer edits. */
const EDITED_LIMIT_BYTES = 16 * 1024 * 1024;

/** The tree that an answer changes; null before there is one. */
export type Ground = Pick<Commit, 'commit' | 'bundle'> | null;

const PHASES_WITH_CHANGES: ReadonlySet<Phase> = new Set(['implementation', 'testing', 'deployment']);

const at = ({ input, meter }: Attempt, { commit, bundle }: NonNullable<Ground>) => ({
  workflowId: input.build.spec.workflowId,
  commit,
  bundle,
  signal: meter.signal,
});

/** Everything in a tree. */
export async function entriesOf(attempt: Attempt, ground: Ground): Promise<readonly TreeEntry[]> {
  return ground === null ? [] : await attempt.deps.workspaces.listEntries(at(attempt, ground));
}

async function contentsOf(attempt: Attempt, ground: Ground, paths: ReadonlySet<string>) {
  const contents = new Map<string, string | null>();
  if (ground === null || paths.size === 0) return contents;
  const { files } = await attempt.deps.workspaces.readFiles({
    ...at(attempt, ground),
    limitBytes: EDITED_LIMIT_BYTES,
    choose: (tree) => tree.flatMap(({ path }) => (paths.has(path) ? [path] : [])),
  });
  for (const path of paths) contents.set(path, null);
  for (const { path, content } of files) contents.set(path, content);
  return contents;
}

/** Testing may add tests and deployment may add files of its own; neither may change what was written before it. */
function addedFileFaults(phase: Phase, existing: readonly TreeEntry[], files: readonly WholeFile[]): Fault[] {
  if (phase !== 'testing' && phase !== 'deployment') return [];
  const paths = new Set(existing.map(({ path }) => path));
  const refused = (path: string): string | null => {
    if (phase === 'testing' && !isTestPath(path)) return 'is no test file; testing may add test files only';
    const changes = paths.has(path) && !(phase === 'testing' && isTestPath(path));
    return changes ? `is a file of the build, which ${phase} may not change` : null;
  };
  return files.flatMap(({ path }, index) => {
    const fault = refused(path);
    return fault === null ? [] : [{ at: `/files/${index}/path`, fault: `"${path}" ${fault}` }];
  });
}

/**
 * Turns the edits of an answer into whole files, which then stand in its `files`, beside `edits` as they were given; and
 * checks all of its paths against the tree.
 */
export async function resolveFiles(attempt: Attempt, ground: Ground, value: JsonObject): Promise<Verdict<JsonObject>> {
  const { phase } = attempt.input;
  // Elsewhere fields of these names mean whatever their author likes.
  if (!PHASES_WITH_CHANGES.has(phase)) return { ok: true, value };
  const given = changesOf(value);
  const changes = phase === 'implementation' ? given : { files: given.files, edits: [], deleted: [] };
  const { files, edits, deleted } = changes;
  if (files.length + edits.length + deleted.length === 0) return { ok: true, value };
  const edited = new Set(edits.map(({ path }) => path));
  const [existing, contents] = await Promise.all([entriesOf(attempt, ground), contentsOf(attempt, ground, edited)]);
  const paths = new Set(existing.flatMap(({ path, kind }) => (kind === 'file' ? [path] : [])));
  const resolved = resolveEdits(changes, { paths, contents });
  const whole = resolved.ok ? resolved.files : files;
  const faults = [
    ...(resolved.ok ? [] : resolved.faults),
    ...checkFiles(whole, { deleted, existing }),
    ...addedFileFaults(phase, existing, whole),
  ];
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: { ...value, files: [...whole] } };
}

/** What an answer must meet: the fields of its phase, files that fit the tree, and what its phase asks beside that. */
export function answerCheck(
  attempt: Attempt,
  faultsOf: (value: JsonObject) => readonly Fault[] = () => [],
): Check<JsonObject> {
  const { build, phase } = attempt.input;
  return async (given) => {
    const checked = checkPhaseResult(phase, given, 'llm');
    if (!checked.ok) return checked;
    const resolved = await resolveFiles(attempt, build.head, checked.value);
    const faults = [...(resolved.ok ? [] : resolved.faults), ...faultsOf(checked.value)];
    return faults.length > 0 ? { ok: false, faults } : resolved;
  };
}
