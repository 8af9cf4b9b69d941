import { loadContent } from '../artifacts/contents.ts';
import { AppError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../machine/json.ts';
import { changesFiles } from '../machine/side-work.ts';
import { conversationOf } from '../machine/snapshot.ts';
import type { CommitFilesInput, CommitFilesOutput } from './contract.ts';
import type { ActivityDeps } from './deps.ts';
import { filesOf } from './phase/ask-role.ts';
import { commitFiles as commit } from './phase/commit-files.ts';
import { type Metered, metered } from './phase/metered.ts';

/** Paths that a reason names. */
const PATHS_SHOWN = 5;

/** Deployment may add files of its own: what was tested and verified stays as it is. */
async function refuseChanges({ deps, input, meter }: Metered<CommitFilesInput>, value: JsonObject): Promise<void> {
  const { spec, head } = input.build;
  if (input.pending.phase !== 'deployment' || head === null) return;
  const at = { workflowId: spec.workflowId, commit: head.commit, bundle: head.bundle, signal: meter.signal };
  const present = new Set((await deps.workspaces.listFiles(at)).map(({ path }) => path));
  const changed = filesOf(value).flatMap(({ path }) => (present.has(path) ? [JSON.stringify(path)] : []));
  if (changed.length === 0) return;
  const named = changed.slice(0, PATHS_SHOWN).join(', ');
  throw new AppError('invalid_phase_result', `Deployment may add files, but not change those of the build: ${named}.`);
}

/**
 * Commits the files that an external role handed on, as a phase commits those of a model. The result is that of the turn
 * which waits for it; its attempt may have been followed by another one meanwhile.
 */
export async function commitFiles(deps: ActivityDeps, input: CommitFilesInput): Promise<CommitFilesOutput> {
  const { phase, attempt: number, n } = input.pending;
  const { done, ...rest } = await metered(deps, input, async (attempt) => {
    const turn = conversationOf(input.build).find((said) => said.n === n);
    const value = turn ? await loadContent(deps.store, turn.content) : null;
    if (!isJsonObject(value) || !changesFiles(phase, value)) return null;
    await refuseChanges(attempt, value);
    const build = { ...input.build, attempts: { ...input.build.attempts, [phase]: number } };
    return await commit({ ...attempt, input: { ...input, build, phase } }, value);
  });
  return { commit: done, ...rest };
}
