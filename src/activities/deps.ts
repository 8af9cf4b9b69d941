import type { WorkflowExecution } from '@temporalio/common';
import type { Logger } from 'pino';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import type { Role } from '../machine/states.ts';
import type { Mirror } from '../mirror/mirror.ts';
import type { Providers } from '../models.ts';
import type { Webhook } from '../release-settings.ts';
import type { SourceRules } from '../source-paths.ts';
import type { Releases } from './release/release.ts';
import type { MeasureTests } from './sandbox/measure.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import type { Workspaces } from './workspace/workspaces.ts';

/** What activities work with. Everything from outside comes in here, so that tests and the bench can replace it. */
export type ActivityDeps = Readonly<{
  store: ArtifactStore;
  mirror: Pick<Mirror, 'flush' | 'recordCalls'>;
  workspaces: Workspaces;
  sandbox: Sandbox;
  measureTests: MeasureTests;
  releases: Releases;
  models: Readonly<{ byRole: Readonly<Record<Role, string>>; fallbacks: readonly string[]; providers: Providers }>;
  /** From where a build may take the code that it begins with. */
  sources: SourceRules;
  /** Who is told of releases; null where nobody is. */
  webhook: Webhook | null;
  /** Where people reach the API, for links; null where that is not known here. */
  publicUrl: string | null;
  /** Lets any worker take the build's next workflow task, where one that is gone had the build in its cache. */
  resetStickyQueue: (execution: WorkflowExecution) => Promise<void>;
  /** Where trees are laid out for a test run; emptied after each. */
  tmpDir: string;
  log: Logger;
}>;
