import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload, WorkflowNotFoundError } from '@temporalio/common';
import type { PhaseOutput } from '../activities/contract.ts';
import { within } from '../within.ts';
import { type BuildInput, type HistoryReply, WORKFLOW_TYPE } from '../workflows/messages.ts';
import type { ClosedRuns, LastWork, LatestRun, RunEnding, RunPlace, RunRecord } from './closed-run.ts';

type History = Awaited<ReturnType<Client['workflowService']['getWorkflowExecutionHistoryReverse']>>['history'];
type Event = NonNullable<NonNullable<History>['events']>[number];

const CALL_DEADLINE_MS = 3_000;
/** For a worker that replays a whole run. Without a worker every look at such a run takes this long. */
const QUERY_DEADLINE_MS = 1_500;
/** Time for the client to tell of its own deadline, which says more than ours. */
const GRACE_MS = 100;
const PAGE_RUNS = 500;
/** The end of a run and its last activity are seldom further apart. */
const PAGE_EVENTS = 30;

const ENDINGS: Readonly<Record<string, RunEnding>> = {
  COMPLETED: 'completed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  FAILED: 'failed',
  TIMED_OUT: 'timed_out',
};

type Payloads = Readonly<{ payloads?: readonly Payload[] | null }> | null | undefined;

/** Null also for what cannot be decoded: a run that was started by hand may hold anything. */
function firstOf<T>(held: Payloads): T | null {
  const [payload] = held?.payloads ?? [];
  try {
    return payload ? defaultPayloadConverter.fromPayload<T>(payload) : null;
  } catch {
    return null;
  }
}

/** The reason of the event with which a run ended. */
function reasonOf(event: Event): string | null {
  const { workflowExecutionTerminatedEventAttributes: terminated, workflowExecutionFailedEventAttributes: failed } =
    event;
  return terminated?.reason ?? failed?.failure?.message ?? null;
}

const msOf = (at: Readonly<{ seconds?: unknown; nanos?: number | null }> | null | undefined): number =>
  Number(at?.seconds ?? 0) * 1000 + Math.floor((at?.nanos ?? 0) / 1e6);

type Asking = Readonly<{ client: Client; taskQueue: string }>;

const ask = <T>({ client }: Asking, deadlineMs: number, call: () => Promise<T>): Promise<T> =>
  within(client.withDeadline(Date.now() + deadlineMs, call), deadlineMs + GRACE_MS);

const iso = (atMs: number): string => new Date(atMs).toISOString();

async function* changedSince(
  asking: Asking,
  { endedMs, startedMs }: Parameters<ClosedRuns['changedSince']>[0],
): ReturnType<ClosedRuns['changedSince']> {
  const { client, taskQueue } = asking;
  const query =
    `WorkflowType = '${WORKFLOW_TYPE}' AND TaskQueue = '${taskQueue.replaceAll("'", "\\'")}' AND ` +
    `((ExecutionStatus IN ('Canceled', 'Failed', 'Terminated', 'TimedOut') AND CloseTime >= '${iso(endedMs)}') OR ` +
    `(ExecutionStatus = 'Running' AND StartTime >= '${iso(startedMs)}'))`;
  const { namespace } = client.options;
  let nextPageToken: Uint8Array | undefined;
  do {
    const request = { namespace, query, pageSize: PAGE_RUNS, ...(nextPageToken ? { nextPageToken } : {}) };
    const page = await ask(asking, CALL_DEADLINE_MS, () => client.workflowService.listWorkflowExecutions(request));
    yield page.executions.map(({ execution, startTime, closeTime }) => ({
      workflowId: execution?.workflowId ?? '',
      runId: execution?.runId ?? '',
      isOpen: !closeTime,
      changedAtMs: msOf(closeTime ?? startTime),
    }));
    nextPageToken = page.nextPageToken;
  } while (nextPageToken?.length);
}

async function latest(asking: Asking, workflowId: string): Promise<LatestRun | null> {
  const { client, taskQueue } = asking;
  try {
    const told = await ask(asking, CALL_DEADLINE_MS, () => client.workflow.getHandle(workflowId).describe());
    if (told.type !== WORKFLOW_TYPE || told.taskQueue !== taskQueue) return null;
    return {
      workflowId,
      runId: told.runId,
      ending: ENDINGS[told.status.name] ?? null,
      startedAtMs: told.startTime.getTime(),
      closedAtMs: told.closeTime?.getTime() ?? null,
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Events of a run, last first, a page at a time. */
async function* backwards(asking: Asking, execution: RunPlace): AsyncIterable<Event> {
  const { client } = asking;
  const { namespace } = client.options;
  let nextPageToken: Uint8Array | undefined;
  do {
    const more = nextPageToken ? { nextPageToken } : {};
    const request = { namespace, execution, maximumPageSize: PAGE_EVENTS, ...more };
    const page = await ask(asking, CALL_DEADLINE_MS, () =>
      client.workflowService.getWorkflowExecutionHistoryReverse(request),
    );
    yield* page.history?.events ?? [];
    nextPageToken = page.nextPageToken;
  } while (nextPageToken?.length);
}

type Last = Omit<RunRecord, 'input' | 'originalRunId'>;

/** A phase answers with more than how far the mirror is; a flush with nothing else. */
function answered(isPhase: boolean, result: Payloads): Pick<Last, 'ackedSeq' | 'lastAnswer'> {
  const answer = firstOf<PhaseOutput | number>(result);
  if (answer === null) return { ackedSeq: 0, lastAnswer: null };
  if (typeof answer === 'number') return { ackedSeq: answer, lastAnswer: null };
  return { ackedSeq: answer.ackedSeq, lastAnswer: isPhase ? answer : null };
}

async function lastOf(asking: Asking, run: RunPlace): Promise<Last> {
  let told: Last = { reason: null, lastEventAtMs: 0, lastWork: null, ackedSeq: 0, lastAnswer: null };
  const answers = new Map<string, Payloads>();
  for await (const event of backwards(asking, run)) {
    const lastEventAtMs = Math.max(told.lastEventAtMs, msOf(event.eventTime));
    told = { ...told, lastEventAtMs, reason: told.reason ?? reasonOf(event) };
    const { activityTaskCompletedEventAttributes: completed, activityTaskScheduledEventAttributes: scheduled } = event;
    if (completed) answers.set(String(completed.scheduledEventId), completed.result);
    // Telling of a release follows the last rows, and brings none.
    if (!scheduled || scheduled.activityType?.name === 'announce') continue;
    const answer = answered(scheduled.activityType?.name === 'phase', answers.get(String(event.eventId)));
    return { ...told, ...answer, lastWork: firstOf<LastWork>(scheduled.input) };
  }
  return told;
}

async function firstEvent(asking: Asking, execution: RunPlace): Promise<Pick<RunRecord, 'input' | 'originalRunId'>> {
  const { client } = asking;
  const request = { namespace: client.options.namespace, execution, maximumPageSize: 1 };
  const page = await ask(asking, CALL_DEADLINE_MS, () => client.workflowService.getWorkflowExecutionHistory(request));
  const started = page.history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  return {
    input: firstOf<Partial<BuildInput>>(started?.input) ?? {},
    originalRunId: started?.originalExecutionRunId ?? execution.runId,
  };
}

/** @param taskQueue runs of others, which share the namespace, are none of ours */
export function createTemporalRuns(client: Client, taskQueue: string): ClosedRuns {
  const asking: Asking = { client, taskQueue };
  return {
    changedSince: (since) => changedSince(asking, since),
    latest: (workflowId) => latest(asking, workflowId),
    record: async ({ workflowId, runId }) => {
      const run = { workflowId, runId };
      const [first, last] = await Promise.all([firstEvent(asking, run), lastOf(asking, run)]);
      return { ...first, ...last };
    },
    rowsOf: async ({ workflowId, runId }) => {
      const handle = client.workflow.getHandle(workflowId, runId);
      return ask(asking, QUERY_DEADLINE_MS, () => handle.query<HistoryReply>('history')).catch(() => null);
    },
  };
}
