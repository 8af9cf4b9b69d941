import { ApiError } from './api-error.ts';
import { type CallOptions, type ClientSettings, type CommandOptions, createCaller } from './caller.ts';
import type {
  AbortReply,
  AbortRequest,
  AdvanceReply,
  AdvanceRequest,
  AiStatusReply,
  ArtifactsReply,
  ChatStartReply,
  ChatStartRequest,
  CompletePhaseReply,
  CompletePhaseRequest,
  HealthReply,
  HistoryPage,
  HistoryReply,
  InitializeReply,
  InitializeRequest,
  ListQuery,
  ListReply,
  LiveEvent,
  PromptReply,
  ReadinessReply,
  RetryReply,
  RetryRequest,
  RollbackReply,
  RollbackRequest,
  StartReply,
  StartRequest,
  StatsReply,
  StatusReply,
  StreamedEvent,
} from './contract.ts';
import type { ServerEvents } from './event-stream.ts';

export type { EventReply, HandoffReply, HistoryReply, SourceRequest, StatusReply, StreamedEvent } from './contract.ts';

/** The public HTTP API as functions. Every call throws `ApiError` when it does not succeed. */
export type Client = Readonly<{
  start(projectId: string, request: StartRequest, options?: CommandOptions): Promise<StartReply>;
  advance(workflowId: string, request: AdvanceRequest, options?: CommandOptions): Promise<AdvanceReply>;
  requestRetry(workflowId: string, request: RetryRequest, options?: CommandOptions): Promise<RetryReply>;
  rollback(workflowId: string, request: RollbackRequest, options?: CommandOptions): Promise<RollbackReply>;
  abort(workflowId: string, request: AbortRequest, options?: CommandOptions): Promise<AbortReply>;
  status(workflowId: string, options?: CallOptions): Promise<StatusReply>;
  history(workflowId: string, page?: HistoryPage, options?: CallOptions): Promise<HistoryReply>;
  /** What the build released. */
  artifacts(workflowId: string, options?: CallOptions): Promise<ArtifactsReply>;
  /** The bytes of one download as they come; the list of artifacts has the sha256 that they must have. */
  download(workflowId: string, name: string, options?: CallOptions): Promise<AsyncIterable<Uint8Array>>;
  /** All pages that there are now, oldest rows first. */
  historyPages(workflowId: string, options?: CallOptions): AsyncGenerator<HistoryReply, void>;
  /**
   * The audit of a build as it happens, from its first event or behind one. Ends when the build is over and all of it was
   * given; a connection that breaks off throws `unreachable`, and the last id leads on.
   */
  events(workflowId: string, options?: StreamOptions): AsyncGenerator<StreamedEvent, void>;
  /** The same of all builds of a project; it never ends by itself. */
  projectEvents(projectId: string, options?: StreamOptions): AsyncGenerator<StreamedEvent, void>;
  /** Newest first. */
  list(query?: ListQuery, options?: CallOptions): Promise<ListReply>;
  stats(projectId: string, options?: CallOptions): Promise<StatsReply>;
  /** Starts a build whose every role is played from outside. */
  initialize(request: InitializeRequest, options?: CommandOptions): Promise<InitializeReply>;
  completePhase(request: CompletePhaseRequest, options?: CommandOptions): Promise<CompletePhaseReply>;
  aiStatus(workflowId: string, options?: CallOptions): Promise<AiStatusReply>;
  aiPrompt(workflowId: string, options?: CallOptions): Promise<PromptReply>;
  startFromChat(request: ChatStartRequest, options?: CommandOptions): Promise<ChatStartReply>;
  health(options?: CallOptions): Promise<HealthReply>;
  /** Also answers when the API is not ready. */
  readiness(options?: CallOptions): Promise<ReadinessReply>;
}>;

export type StreamOptions = CallOptions & Readonly<{ lastEventId?: string | null }>;

const PAGE_LIMIT = 500;

/** What is not given does not stand in the address. */
function searchOf(query: Readonly<Record<string, string | number | null | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) search.set(name, String(value));
  }
  return search.size === 0 ? '' : `?${search}`;
}

const brokenOff = (cause?: unknown): ApiError =>
  new ApiError('The stream of events broke off; it goes on behind its last id.', { code: 'unreachable' }, { cause });

async function* streamed(
  open: () => Promise<ServerEvents | null>,
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamedEvent, void> {
  const events = await open();
  if (events === null) return;
  try {
    for await (const { id = '', event, data } of events) {
      if (event === 'end') return;
      yield { id, event: JSON.parse(data) as LiveEvent };
    }
  } catch (error) {
    throw signal?.aborted ? signal.reason : brokenOff(error);
  }
  throw brokenOff();
}

export function createClient(settings: ClientSettings): Client {
  const { get, post, ask, stream, download } = createCaller(settings);
  const at = (id: string, call: string): string => `/api/workflows/${encodeURIComponent(id)}/${call}`;
  const ofProject = (id: string, call: string): string => `/api/workflows/project/${encodeURIComponent(id)}/${call}`;
  const ofAi = (...parts: string[]): string => `/api/ai-workflows/${parts.map(encodeURIComponent).join('/')}`;
  const history: Client['history'] = (id, { limit = PAGE_LIMIT, cursor } = {}, options) =>
    get(at(id, 'history') + searchOf({ limit, cursor }), options);
  return {
    start: (project, request, options) => post(at(project, 'start'), request, options),
    advance: (id, request, options) => post(at(id, 'advance'), request, options),
    requestRetry: (id, request, options) => post(at(id, 'request-retry'), request, options),
    rollback: (id, request, options) => post(at(id, 'rollback'), request, options),
    abort: (id, request, options) => post(at(id, 'abort'), request, options),
    status: (id, options) => get(at(id, 'status'), options),
    history,
    artifacts: (id, options) => get(at(id, 'artifacts'), options),
    download: (id, name, options) => download(`${at(id, 'artifacts')}/${encodeURIComponent(name)}`, options),
    historyPages: async function* (id, options) {
      let cursor: string | null = null;
      do {
        const page: HistoryReply = await history(id, { cursor }, options);
        yield page;
        cursor = page.next_cursor;
      } while (cursor !== null);
    },
    events: (id, { lastEventId = null, signal } = {}) =>
      streamed(() => stream(at(id, 'events'), lastEventId, { signal }), signal),
    projectEvents: (project, { lastEventId = null, signal } = {}) =>
      streamed(() => stream(ofProject(project, 'events'), lastEventId, { signal }), signal),
    list: (query = {}, options) => get(`/api/workflows${searchOf(query)}`, options),
    stats: (project, options) => get(ofProject(project, 'stats'), options),
    initialize: (request, options) => post(ofAi('initialize'), request, options),
    completePhase: (request, options) => post(ofAi('complete-phase'), request, options),
    aiStatus: (id, options) => get(ofAi('status', id), options),
    aiPrompt: (id, options) => ask(ofAi('get-ai-prompt', id), options),
    startFromChat: (request, options) => post('/chat/start-build-workflow', request, options),
    health: (options) => get('/healthz', options),
    readiness: (options) => get('/readyz', options, [503]),
  };
}
