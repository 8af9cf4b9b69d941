import { loadContent } from '../artifacts/contents.ts';
import { isJsonObject } from '../machine/json.ts';
import { conversationOf } from '../machine/snapshot.ts';
import type { CommitFilesInput, CommitFilesOutput } from './contract.ts';
import type { ActivityDeps } from './deps.ts';
import { filesOf } from './phase/ask-role.ts';
import { commitFiles as commit } from './phase/commit-files.ts';
import { metered } from './phase/metered.ts';

/**
 * Commits the files that an external role handed on, as a phase commits those of a model. The result is that of the turn
 * which waits for it; its attempt may have been followed by another one meanwhile.
 */
export async function commitFiles(deps: ActivityDeps, input: CommitFilesInput): Promise<CommitFilesOutput> {
  const { phase, attempt: number, n } = input.pending;
  const { done, ...rest } = await metered(deps, input, async ({ meter }) => {
    const turn = conversationOf(input.build).find((said) => said.n === n);
    const value = turn ? await loadContent(deps.store, turn.content) : null;
    if (!isJsonObject(value) || filesOf(value).length === 0) return null;
    const build = { ...input.build, attempts: { ...input.build.attempts, [phase]: number } };
    return await commit({ deps, input: { ...input, build, phase }, meter }, value);
  });
  return { commit: done, ...rest };
}
