import type { z } from 'zod';
import type { aiStatusReply, completePhaseReply, initializeReply, promptReply } from '../api/ai-workflows/replies.ts';
import type { healthReply, readinessReply } from '../api/health.ts';
import type { listReply, statsReply } from '../api/list-replies.ts';
import type {
  abortReply,
  advanceReply,
  artifactsReply,
  chatStartReply,
  EventReply,
  HandoffReply,
  historyReply,
  LiveEvent,
  retryReply,
  rollbackReply,
  startReply,
  statusReply,
} from '../api/replies.ts';
import type { Json, JsonObject } from '../machine/json.ts';

/*
 * What the calls take and answer. Answers have the types of the server's own schemas. Names of states and roles are
 * taken in either case, so that they are plain text here; the API checks them.
 */

export type StartReply = z.infer<typeof startReply>;
export type AdvanceReply = z.infer<typeof advanceReply>;
export type StatusReply = z.infer<typeof statusReply>;
export type ArtifactsReply = z.infer<typeof artifactsReply>;
export type HistoryReply = z.infer<typeof historyReply>;
export type RetryReply = z.infer<typeof retryReply>;
export type RollbackReply = z.infer<typeof rollbackReply>;
export type AbortReply = z.infer<typeof abortReply>;
export type ListReply = z.infer<typeof listReply>;
export type StatsReply = z.infer<typeof statsReply>;
export type InitializeReply = z.infer<typeof initializeReply>;
export type CompletePhaseReply = z.infer<typeof completePhaseReply>;
export type AiStatusReply = z.infer<typeof aiStatusReply>;
export type PromptReply = z.infer<typeof promptReply>;
export type ChatStartReply = z.infer<typeof chatStartReply>;
export type HealthReply = z.infer<typeof healthReply>;
export type ReadinessReply = z.infer<typeof readinessReply>;
export type { EventReply, HandoffReply, LiveEvent };

/** The existing code base that a build begins with; `path` is one of the worker's machine. */
export type SourceRequest = Readonly<{ git_url: string; ref?: string } | { path: string; ref?: string }>;
export type StartRequest = Readonly<{
  build_id: string;
  user_id: string;
  requirements: string | JsonObject;
  metadata?: JsonObject;
  model?: string;
  external_roles?: readonly string[];
  coverage_min?: number;
  source?: SourceRequest;
}>;
export type AdvanceRequest = Readonly<{
  role: string;
  completed_state: string;
  phase_result?: Json;
  next_state?: string;
}>;
export type RetryRequest = Readonly<{ reason: string; expected_state?: string }>;
export type RollbackRequest = RetryRequest & Readonly<{ target_state: string }>;
export type AbortRequest = Readonly<{ reason: string }>;
/** `limit`: rows of each list, 500 at most and by default. */
export type HistoryPage = Readonly<{ limit?: number; cursor?: string | null }>;
/** Of one project, state, status or person, or of several of these together; 50 builds unless `limit` says otherwise. */
export type ListQuery = Readonly<{
  project_id?: string | undefined;
  state?: string | undefined;
  status?: string | undefined;
  user_id?: string | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}>;
/** Without a build_id the Idempotency-Key names the build. */
export type ChatStartRequest = Readonly<{
  project_id: string;
  user_id: string;
  requirements: string | JsonObject;
  build_id?: string;
  source?: SourceRequest;
}>;
export type InitializeRequest = ChatStartRequest & Readonly<{ model?: string }>;
/** Without `completed_state` the current phase is meant, whichever that is by then. */
export type CompletePhaseRequest = Readonly<{
  workflow_id: string;
  ai_response: Json;
  phase_result: Json;
  completed_state?: string;
}>;
/** `id`: the one with which a stream goes on behind this event. Of a project's stream it is not the event's own. */
export type StreamedEvent = Readonly<{ id: string; event: LiveEvent }>;
