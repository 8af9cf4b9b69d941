import type { UndoReleaseInput, UndoReleaseOutput } from './contract.ts';
import type { ActivityDeps } from './deps.ts';
import { metered } from './phase/metered.ts';
import type { UndoneRelease } from './release/press.ts';

/** Takes releases of the given attempts back, newest first, and with them whatever an older branch of the build released. */
export async function undoRelease(deps: ActivityDeps, input: UndoReleaseInput): Promise<UndoReleaseOutput> {
  const { build, batch, attempts } = input;
  const { workflowId, buildId, projectId } = build.spec;
  const { done, ...rest } = await metered(deps, input, async ({ meter }) => {
    const whose = { workflowId, buildId, projectId, signal: meter.signal };
    const undone: (UndoneRelease | null)[] = [];
    for (const attempt of attempts) undone.push(await deps.releases.undo(whose, { branch: batch.branch, attempt }));
    undone.push(...(await deps.releases.undoOthers(whose, batch.branch, batch.openedAtMs)));
    return undone.filter((one) => one !== null).map(({ attempt, version, tag }) => ({ attempt, version, tag }));
  });
  return { undone: done, ...rest };
}
