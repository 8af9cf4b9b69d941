import type { EventType, Handoff } from '../machine/events.ts';
import type { JsonObject } from '../machine/json.ts';
import type { Role, State } from '../machine/states.ts';
import { type Connections, createConnections } from './connections.ts';
import { FEED_END, FEED_LOCATE, FEED_PAGE, FEED_ROWS, FEED_WRITERS } from './feed-statements.ts';
import type { MirrorEvent, MirrorHandoff, RowPlace } from './history.ts';

/** Whose events are wanted. */
type Topic = Readonly<{ kind: 'build' | 'project'; id: string }>;

/** Behind `after`, up to `upTo`. */
type Stretch = Readonly<{ after: number; upTo: number }>;

type FeedRow = MirrorEvent &
  Readonly<{
    position: number;
    workflowId: string;
    projectId: string;
    handoff: MirrorHandoff | null;
    ending: 'complete' | 'cancelled' | null;
  }>;

/**
 * The events of all builds as one line, in the order of their ids: a position is an id. Rows become visible in the order
 * of their commits instead, so that a reader must know that nobody can write below a position any more (`writers`).
 * Flushes of one build take turns, so that its own rows are visible in their order.
 */
export type EventFeed = Readonly<{
  end(): Promise<number>;
  /** Transactions that hold the table for writing: only they can have ids that are not visible yet. */
  writers(): Promise<readonly string[]>;
  rows(
    wanted: Readonly<{ builds: readonly string[]; projects: readonly string[] }>,
    where: Stretch,
  ): Promise<FeedRow[]>;
  page(topic: Topic, where: Stretch, limit: number): Promise<FeedRow[]>;
  locate(workflowId: string, place: RowPlace | null): Promise<Readonly<{ position: number; over: boolean }> | null>;
  close(): Promise<void>;
}>;

type FeedOptions = Readonly<{
  databaseUrl: string;
  /** Connections at most. */
  poolSize: number;
  /** A statement without an answer for so long is given up, and its connection destroyed. */
  timeoutMs: number;
}>;

/** What {@link FEED_ROWS} gives. PostgreSQL's bigint comes as text. */
type SqlRow = Readonly<{
  id: string;
  workflow_id: string;
  project_id: string;
  generation: number;
  seq: number;
  event_type: string;
  triggered_by: MirrorEvent['by'];
  event_data: JsonObject;
  timestamp: Date;
  undone: boolean;
  ending: FeedRow['ending'];
  from_role: Role | null;
  to_role: Role;
  from_state: State;
  to_state: State;
  data_transferred: JsonObject;
  notes: string | null;
}>;

function handoffOf(row: SqlRow): Handoff | null {
  if (row.from_role === null) return null;
  const { from_role: fromRole, to_role: toRole, from_state: fromState, to_state: toState } = row;
  return { fromRole, toRole, fromState, toState, data: row.data_transferred, notes: row.notes };
}

function toRow(row: SqlRow): FeedRow {
  const { generation, seq, undone } = row;
  const common = { generation, seq, undone, atMs: row.timestamp.getTime() };
  const handoff = handoffOf(row);
  return {
    ...common,
    position: Number(row.id),
    workflowId: row.workflow_id,
    projectId: row.project_id,
    // What the machine wrote, perhaps a newer version's.
    type: row.event_type as EventType,
    by: row.triggered_by,
    data: row.event_data,
    handoff: handoff && { ...common, ...handoff },
    ending: row.ending,
  };
}

/** Opens no connection until the first call. */
export function createEventFeed({ databaseUrl, poolSize, timeoutMs }: FeedOptions): EventFeed {
  const connections = createConnections({ databaseUrl, poolSize, query_timeout: timeoutMs });
  const read = readOf(connections);
  return {
    end: async () => {
      const [row] = await read<{ position: string }>(FEED_END, [], 'feed-end');
      return Number(row?.position);
    },
    writers: async () => (await read<{ writer: string }>(FEED_WRITERS, [], 'feed-writers')).map(({ writer }) => writer),
    rows: async ({ builds, projects }, { after, upTo }) =>
      (await read<SqlRow>(FEED_ROWS, [after, upTo, builds, projects])).map(toRow),
    page: async ({ kind, id }, { after, upTo }, limit) =>
      (await read<SqlRow>(FEED_PAGE[kind], [after, upTo, id, limit])).map(toRow),
    locate: async (workflowId, place) => {
      const { generation, seq } = place ?? { generation: 0, seq: 0 };
      const values = [workflowId, generation, seq];
      const [row] = await read<{ position: string; over: boolean }>(FEED_LOCATE, values, 'feed-locate');
      return row ? { position: Number(row.position), over: row.over } : null;
    },
    close: connections.close,
  };
}

/**
 * A name is for statements that are planned once. Without it the plan is made for the values: one for any values may read
 * a whole project to find the few rows behind a position.
 */
const readOf =
  ({ pool }: Connections) =>
  async <T extends object>(text: string, values: readonly unknown[], name?: string): Promise<T[]> =>
    (await pool.query<T>({ text, values: [...values], ...(name === undefined ? {} : { name }) })).rows;
