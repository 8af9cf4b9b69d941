import { Context } from '@temporalio/activity';
import type { Commit } from '../../machine/build.ts';
import type { JsonObject } from '../../machine/json.ts';
import { STATE_TABLE } from '../../machine/states.ts';
import { type Attempt, filesOf } from './ask-role.ts';

/** The paths that a checked result takes away. */
const deletedOf = ({ deleted_files: given }: JsonObject): string[] =>
  Array.isArray(given) ? given.filter((path) => typeof path === 'string') : [];

/**
 * One commit on a branch of this try alone, with its bundle; it joins the build's branch when the next phase works on it.
 * Called again in the same try it takes the place of the commit before it, so an answer may be tried before it is kept.
 */
export async function commitFiles({ deps, input, meter }: Attempt, value: JsonObject): Promise<Commit> {
  const { build, phase } = input;
  const { attempt: run } = Context.current().info;
  const head = build.head?.commit ?? null;
  const number = build.attempts[phase];
  const { commit, tree, bundle } = await deps.workspaces.commitAttempt({
    workflowId: build.spec.workflowId,
    base: head,
    bundle: build.head?.bundle,
    advanceTo: head,
    attempt: { phase, attempt: number, epoch: build.epoch, run },
    files: filesOf(value),
    deleted: deletedOf(value),
    author: STATE_TABLE[phase].owner,
    message: `${phase}, attempt ${number}`,
    trailers: { Build: build.spec.buildId, Phase: phase, Attempt: String(number) },
    atMs: build.updatedAtMs,
    signal: meter.signal,
  });
  return { commit, tree, bundle };
}
