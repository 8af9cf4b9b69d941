import type { Logger } from 'pino';
import { assertNever } from '../../errors.ts';
import type { PublishTarget } from '../../release-settings.ts';
import { commandTarget } from './command-target.ts';
import { gitTarget } from './git-target.ts';

/** A release as those see it who publish it. */
export type Publication = Readonly<{
  workflowId: string;
  buildId: string;
  projectId: string;
  version: string;
  attempt: number;
  commit: string;
  bundle?: string | undefined;
  /** The release's folder, whole, and its name. */
  path: string;
  name: string;
  tag: string;
  signal: AbortSignal;
}>;

/**
 * The last step of publishing, and its undo. Both are safe to repeat, the undo also where nothing was published; both fail
 * with `release_failed`, which tells no secret.
 */
export type Target = Readonly<{
  publish(publication: Publication): Promise<void>;
  unpublish(publication: Publication): Promise<void>;
}>;

export type TargetParts = Readonly<{
  /** The git repository of a build, with the commit and its history in it. */
  repositoryOf(at: Pick<Publication, 'workflowId' | 'commit' | 'bundle' | 'signal'>): Promise<string>;
  log: Logger;
}>;

const nothingMore: Target = { publish: async () => undefined, unpublish: async () => undefined };

export function createTarget(target: PublishTarget, parts: TargetParts): Target {
  switch (target.kind) {
    case 'folder':
      return nothingMore;
    case 'git':
      return gitTarget(target, parts);
    case 'command':
      return commandTarget(target, parts);
    default:
      return assertNever(target);
  }
}
