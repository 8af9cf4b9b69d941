import type { Client } from '@temporalio/client';

/** What the server has recorded of one workflow. */
export type HistoryFigures = Readonly<{
  events: number;
  bytes: number;
  activities: number;
  markers: number;
  largestPayloadBytes: number;
  /** Tries of activities beyond the first; a timed-out try that is repeated shows only here. */
  activityRetries: number;
  activityTimeouts: number;
  activityFailures: number;
  /** The worker took a task and did not end it. */
  workflowTaskTimeouts: number;
  /** The worker did not take a task from its own queue in time: the build is replayed, by it or another. */
  stickyTimeouts: number;
  workflowTaskFailures: number;
}>;

export type PhaseTime = Readonly<{ phase: string; durationMs: number; endedAtMs: number }>;

type Fetched = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;
type Event = NonNullable<Fetched['events']>[number];

const fetchEvents = async (client: Client, workflowId: string): Promise<Event[]> =>
  (await client.workflow.getHandle(workflowId).fetchHistory()).events ?? [];

/** Payloads stand at many places of many events: everything with data and metadata is one. */
function largestPayload(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0;
  const own = 'data' in value && 'metadata' in value && value.data instanceof Uint8Array ? value.data.byteLength : 0;
  return Math.max(own, 0, ...Object.values(value).map(largestPayload));
}

const countOf = (events: readonly Event[], is: (event: Event) => unknown): number => events.filter(is).length;

const taskTimeout = (event: Event) => event.workflowTaskTimedOutEventAttributes;
/** TIMEOUT_TYPE_SCHEDULE_TO_START of temporal.api.enums.v1: only tasks of a worker's own queue have this deadline. */
const isSticky = (event: Event): boolean => taskTimeout(event)?.timeoutType === 2;

export async function historyFigures(client: Client, workflowId: string): Promise<HistoryFigures> {
  const [events, { historySize }] = await Promise.all([
    fetchEvents(client, workflowId),
    client.workflow.getHandle(workflowId).describe(),
  ]);
  const retries = events.map((event) => Math.max(0, (event.activityTaskStartedEventAttributes?.attempt ?? 1) - 1));
  return {
    events: events.length,
    bytes: historySize ?? 0,
    activities: countOf(events, (event) => event.activityTaskScheduledEventAttributes),
    markers: countOf(events, (event) => event.markerRecordedEventAttributes),
    largestPayloadBytes: Math.max(0, ...events.map(largestPayload)),
    activityRetries: retries.reduce((sum, count) => sum + count, 0),
    activityTimeouts: countOf(events, (event) => event.activityTaskTimedOutEventAttributes),
    activityFailures: countOf(events, (event) => event.activityTaskFailedEventAttributes),
    workflowTaskTimeouts: countOf(events, (event) => taskTimeout(event) && !isSticky(event)),
    stickyTimeouts: countOf(events, isSticky),
    workflowTaskFailures: countOf(events, (event) => event.workflowTaskFailedEventAttributes),
  };
}

const atMs = ({ eventTime }: Event): number =>
  Number(eventTime?.seconds ?? 0) * 1000 + (eventTime?.nanos ?? 0) / 1_000_000;

/** The phases of a build in the order in which they ended, with the time from start to end as the server saw it. */
export async function phaseTimes(client: Client, workflowId: string): Promise<PhaseTime[]> {
  const events = await fetchEvents(client, workflowId);
  const byId = new Map(events.map((event) => [String(event.eventId), event]));
  return events.flatMap((event) => {
    const ended = event.activityTaskCompletedEventAttributes;
    const started = byId.get(String(ended?.startedEventId));
    const scheduled = byId.get(String(ended?.scheduledEventId))?.activityTaskScheduledEventAttributes;
    const data = scheduled?.input?.payloads?.[0]?.data;
    if (!started || !data || scheduled?.activityType?.name !== 'phase') return [];
    const { phase } = JSON.parse(Buffer.from(data).toString('utf8')) as { phase: string };
    return [{ phase, durationMs: atMs(event) - atMs(started), endedAtMs: atMs(event) }];
  });
}

/** Asks for many histories, a few at a time. */
export async function forEachHistory<T>(ids: readonly string[], ask: (workflowId: string) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (let at = 0; at < ids.length; at += 8) answers.push(...(await Promise.all(ids.slice(at, at + 8).map(ask))));
  return answers;
}
