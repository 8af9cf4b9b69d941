import { type Client, QueryRejectedError, WorkflowClient, type WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/common';
import { AppError } from '../errors.ts';
import type { BuildSpec } from '../machine/build.ts';
import { fingerprint } from '../machine/fingerprint.ts';
import type { PromptView } from '../machine/prompt-view.ts';
import { readState } from '../machine/states.ts';
import type { StatusView } from '../machine/status-view.ts';
import {
  type BuildInput,
  type HistoryReply,
  INDEX_PAUSE_MS,
  MEMO_START_DIGEST,
  type OperationReply,
  WORKFLOW_TYPE,
} from '../workflows/messages.ts';
import { BUILD_ID, BUILD_NEEDS_OPERATOR, BUILD_PROJECT, BUILD_STATE } from '../workflows/search-attributes.ts';
import { summaryOf } from '../workflows/summary.ts';
import { type InTurn, inTurn } from './in-turn.ts';
import type { Answer, BuildDescription, BuildsPort, Ending } from './ports.ts';
import { callTemporal, serverError } from './temporal-call.ts';
import { isRace, queryError, updateError } from './temporal-errors.ts';
import { detailsOf } from './web-ui-text.ts';

const START_DEADLINE_MS = 5000;
/**
 * Where 300 begin at once in a server with a single file, its writes take over a second each, and in that time it gives up handing
 * a task to a worker, which is then lost until its deadline (docs/decisions/0031-where-builds-wait.md).
 */
const STARTS_AT_ONCE = 16;
/** With the deadline, shorter than our own client waits. */
const START_WAIT_MS = 9000;
/** Longer than a task may wait for a worker that died: then another takes it, and the command is done after all. */
const UPDATE_DEADLINE_MS = 8000;
/** For asking a second time, after a race with continue-as-new. */
const REPEAT_DEADLINE_MS = 2000;
const QUERY_DEADLINE_MS = 2000;
const DESCRIBE_DEADLINE_MS = 2000;
/**
 * So late a task that a worker took before it died is given to the next: no later than what lay in that worker's queue. At 3 s a
 * task failed now and then on a slow machine while 300 builds began.
 */
export const WORKFLOW_TASK_TIMEOUT_MS = 5000;

/** `status.code` of an execution that has ended (temporal.api.enums.v1.WorkflowExecutionStatus). */
const ENDINGS: Readonly<Partial<Record<number, Ending>>> = {
  2: 'completed',
  3: 'failed',
  4: 'cancelled',
  5: 'terminated',
  7: 'failed',
};

export type BuildsSettings = Readonly<{
  client: Client;
  taskQueue: string;
  /** Where people reach the API: known once it listens. */
  apiUrl: () => string;
}>;

function startWorkflow({ client, taskQueue, apiUrl }: BuildsSettings, spec: BuildSpec): Promise<unknown> {
  const input: BuildInput = { spec, indexPauseMs: INDEX_PAUSE_MS };
  return client.workflow.start(WORKFLOW_TYPE, {
    workflowId: spec.workflowId,
    taskQueue,
    args: [input],
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    memo: { [MEMO_START_DIGEST]: spec.startDigest },
    staticSummary: summaryOf(spec),
    staticDetails: detailsOf(spec, apiUrl()),
    typedSearchAttributes: [
      { key: BUILD_STATE, value: 'discovery' },
      { key: BUILD_PROJECT, value: spec.projectId },
      { key: BUILD_ID, value: spec.buildId },
      { key: BUILD_NEEDS_OPERATOR, value: false },
    ],
  });
}

const start =
  (settings: BuildsSettings, whenItsTurn: InTurn): BuildsPort['start'] =>
  async (spec) => {
    let began = false;
    try {
      await whenItsTurn(() => {
        began = true;
        return callTemporal(settings.client, START_DEADLINE_MS, () => startWorkflow(settings, spec));
      });
      return 'started';
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return 'already_started';
      if (error instanceof AppError) throw error;
      throw serverError(error, began);
    }
  };

function descriptionOf(told: WorkflowExecutionDescription): BuildDescription | null {
  if (told.type !== WORKFLOW_TYPE) return null;
  const digest = told.memo?.[MEMO_START_DIGEST];
  const attributes = told.typedSearchAttributes;
  return {
    runId: told.runId,
    ending: ENDINGS[told.status.code] ?? null,
    startDigest: typeof digest === 'string' ? digest : null,
    buildId: attributes.get(BUILD_ID) ?? null,
    projectId: attributes.get(BUILD_PROJECT) ?? null,
    state: readState(attributes.get(BUILD_STATE)),
    startedAtMs: told.startTime.getTime(),
    endedAtMs: told.closeTime?.getTime() ?? null,
  };
}

async function describe(client: Client, workflowId: string): Promise<BuildDescription | null> {
  try {
    const handle = client.workflow.getHandle(workflowId);
    return descriptionOf(await callTemporal(client, DESCRIBE_DEADLINE_MS, () => handle.describe()));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw serverError(error, false);
  }
}

/** An Update finds no workflow when there is none and when it is over: only a description tells them apart. */
async function missing(client: Client, workflowId: string, name: string): Promise<AppError> {
  const known = await describe(client, workflowId);
  if (known === null) return new AppError('not_found', `Temporal knows no build ${workflowId}`);
  return new AppError('build_over', `the build has ended; ${name} is refused after the end`, {
    ...(known.state === null ? {} : { currentState: known.state }),
    allowed: [],
  });
}

const execute =
  (client: Client): BuildsPort['execute'] =>
  async (workflowId, name, message, opId) => {
    const handle = client.workflow.getHandle(workflowId);
    // One update id per operation, name and content: Temporal answers a known id with its outcome, whatever is sent.
    const content = typeof message.op_content === 'string' ? message.op_content : fingerprint(message);
    const options = { updateId: `${name}-${opId}-${content}`, args: [message] as [typeof message] };
    const ask = (deadlineMs: number): Promise<OperationReply> =>
      callTemporal(client, deadlineMs, () => handle.executeUpdate<OperationReply, [typeof message]>(name, options));
    try {
      // A workflow task that fails under an Update has not applied it, so the same id may be sent again.
      return await ask(UPDATE_DEADLINE_MS).catch((error: unknown) => {
        if (isRace(error)) return ask(REPEAT_DEADLINE_MS);
        throw error;
      });
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw await missing(client, workflowId, name);
      throw updateError(error);
    }
  };

async function query<T>(client: Client, reader: WorkflowClient, workflowId: string, name: string): Promise<Answer<T>> {
  try {
    const ask = () => reader.getHandle(workflowId).query<T>(name);
    return { kind: 'answer', value: await callTemporal(client, QUERY_DEADLINE_MS, ask) };
  } catch (error) {
    if (error instanceof QueryRejectedError) return { kind: 'over', ending: ENDINGS[error.status] ?? 'failed' };
    if (error instanceof WorkflowNotFoundError) return { kind: 'unknown' };
    return { kind: 'silent', error: queryError(error) };
  }
}

/**
 * Builds as workflows of a Temporal server. The client's connection may be lazy: every call has its own deadline, and
 * says within 2 s that the server is away.
 */
export function createTemporalBuilds(settings: BuildsSettings): BuildsPort {
  const { client } = settings;
  // A closed workflow would be replayed for a query; the mirror has its end already, and costs less.
  const reader = new WorkflowClient({ ...client.options, interceptors: [], queryRejectCondition: 'NOT_OPEN' });
  return {
    start: start(settings, inTurn({ atOnce: STARTS_AT_ONCE, waitMs: START_WAIT_MS })),
    execute: execute(client),
    status: (workflowId) => query<StatusView>(client, reader, workflowId, 'status'),
    history: (workflowId) => query<HistoryReply>(client, reader, workflowId, 'history'),
    prompt: (workflowId) => query<PromptView | null>(client, reader, workflowId, 'prompt'),
    describe: (workflowId) => describe(client, workflowId),
  };
}
