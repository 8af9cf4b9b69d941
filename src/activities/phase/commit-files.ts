import { Context } from '@temporalio/activity';
import type { Commit } from '../../machine/build.ts';
import type { JsonObject } from '../../machine/json.ts';
import { STATE_TABLE } from '../../machine/states.ts';
import { type Attempt, filesOf } from './ask-role.ts';

/** One commit on a branch of this try alone; it joins the build's branch when the next phase works on it. */
export async function commitFiles({ deps, input, meter }: Attempt, value: JsonObject): Promise<Commit> {
  const { build, phase } = input;
  const { attempt: run } = Context.current().info;
  const head = build.head?.commit ?? null;
  const number = build.attempts[phase];
  const { commit, tree } = await deps.workspaces.commitAttempt({
    workflowId: build.spec.workflowId,
    base: head,
    advanceTo: head,
    attempt: { phase, attempt: number, epoch: build.epoch, run },
    files: filesOf(value),
    author: STATE_TABLE[phase].owner,
    message: `${phase}, attempt ${number}`,
    trailers: { Build: build.spec.buildId, Phase: phase, Attempt: String(number) },
    atMs: build.updatedAtMs,
    signal: meter.signal,
  });
  return { commit, tree };
}
