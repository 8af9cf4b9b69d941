import { advance } from './advance.ts';
import { completePhase } from './ai-workflows/complete-phase.ts';
import { getAiPrompt } from './ai-workflows/get-ai-prompt.ts';
import { initialize } from './ai-workflows/initialize.ts';
import { aiStatus } from './ai-workflows/status.ts';
import { artifactDownload, artifacts } from './artifacts.ts';
import { chatStart } from './chat.ts';
import { documentation } from './documentation.ts';
import { buildEvents, projectEvents } from './events.ts';
import { abort, requestRetry, rollback } from './going-back.ts';
import { healthz, readyz } from './health.ts';
import { history } from './history.ts';
import { listBuilds } from './list-builds.ts';
import { metrics } from './metrics-route.ts';
import { projectStats } from './project-stats.ts';
import type { AnyRoute } from './route.ts';
import { start } from './start.ts';
import { status } from './status.ts';

/**
 * Every call of the API. Start names a project where the others name a build: both have one path segment there, and
 * the segment behind it tells them apart.
 */
export const ROUTES: readonly AnyRoute[] = [
  start,
  advance,
  status,
  requestRetry,
  rollback,
  abort,
  history,
  artifacts,
  artifactDownload,
  listBuilds,
  projectStats,
  buildEvents,
  projectEvents,
  initialize,
  completePhase,
  aiStatus,
  getAiPrompt,
  chatStart,
  healthz,
  readyz,
  metrics,
  ...documentation(() => ROUTES),
];
