import type { z } from 'zod';
import type {
  abortReply,
  advanceReply,
  EventReply,
  HandoffReply,
  historyReply,
  retryReply,
  rollbackReply,
  startReply,
  statusReply,
} from '../api/replies.ts';
import type { Json, JsonObject } from '../machine/json.ts';
import { type CallOptions, type ClientSettings, type CommandOptions, createCaller } from './caller.ts';

export type StartReply = z.infer<typeof startReply>;
export type AdvanceReply = z.infer<typeof advanceReply>;
export type StatusReply = z.infer<typeof statusReply>;
export type HistoryReply = z.infer<typeof historyReply>;
export type RetryReply = z.infer<typeof retryReply>;
export type RollbackReply = z.infer<typeof rollbackReply>;
export type AbortReply = z.infer<typeof abortReply>;
export type { EventReply, HandoffReply };

/** Names of states and roles are taken in either case, so they are plain text here; the API checks them. */
export type StartRequest = Readonly<{
  build_id: string;
  user_id: string;
  requirements: string | JsonObject;
  metadata?: JsonObject;
  model?: string;
  external_roles?: readonly string[];
  coverage_min?: number;
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

/** The public HTTP API as functions. Every call throws `ApiError` when it does not succeed. */
export type Client = Readonly<{
  start(projectId: string, request: StartRequest, options?: CommandOptions): Promise<StartReply>;
  advance(workflowId: string, request: AdvanceRequest, options?: CommandOptions): Promise<AdvanceReply>;
  requestRetry(workflowId: string, request: RetryRequest, options?: CommandOptions): Promise<RetryReply>;
  rollback(workflowId: string, request: RollbackRequest, options?: CommandOptions): Promise<RollbackReply>;
  abort(workflowId: string, request: AbortRequest, options?: CommandOptions): Promise<AbortReply>;
  status(workflowId: string, options?: CallOptions): Promise<StatusReply>;
  history(workflowId: string, page?: HistoryPage, options?: CallOptions): Promise<HistoryReply>;
  /** All pages that there are now, oldest rows first. */
  historyPages(workflowId: string, options?: CallOptions): AsyncGenerator<HistoryReply, void>;
  health(options?: CallOptions): Promise<{ status: 'ok' }>;
}>;

const PAGE_LIMIT = 500;

export function createClient(settings: ClientSettings): Client {
  const { get, post } = createCaller(settings);
  const at = (id: string, call: string): string => `/api/workflows/${encodeURIComponent(id)}/${call}`;
  const history: Client['history'] = (id, { limit = PAGE_LIMIT, cursor = null } = {}, options) => {
    const query = new URLSearchParams({ limit: String(limit), ...(cursor === null ? {} : { cursor }) });
    return get(`${at(id, 'history')}?${query}`, options);
  };
  return {
    start: (project, request, options) => post(at(project, 'start'), request, options),
    advance: (id, request, options) => post(at(id, 'advance'), request, options),
    requestRetry: (id, request, options) => post(at(id, 'request-retry'), request, options),
    rollback: (id, request, options) => post(at(id, 'rollback'), request, options),
    abort: (id, request, options) => post(at(id, 'abort'), request, options),
    status: (id, options) => get(at(id, 'status'), options),
    history,
    historyPages: async function* (id, options) {
      let cursor: string | null = null;
      do {
        const page: HistoryReply = await history(id, { cursor }, options);
        yield page;
        cursor = page.next_cursor;
      } while (cursor !== null);
    },
    health: (options) => get('/healthz', options),
  };
}
