import { AppError } from '../errors.ts';
import type { OpenSourceOutput, WorkInput } from './contract.ts';
import type { ActivityDeps } from './deps.ts';
import { metered } from './phase/metered.ts';

/** Fetches the existing code that a build begins with. Safe to repeat: the commit that the workflow takes is the one that counts. */
export async function openSource(deps: ActivityDeps, input: WorkInput): Promise<OpenSourceOutput> {
  const { done, ...rest } = await metered(deps, input, ({ meter: { signal } }) => {
    const { workflowId, source } = input.build.spec;
    if (source === undefined)
      throw new AppError('source_unusable', 'The build has no source: start one with a source.');
    return deps.workspaces.openSource({ workflowId, source, rules: deps.sources, signal });
  });
  return { commit: done, ...rest };
}
