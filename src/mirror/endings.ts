import { AppError } from '../errors.ts';
import type { Status } from '../machine/build.ts';
import { STATES_OF } from './build-list.ts';
import { createConnections } from './connections.ts';
import { describeDatabase, isRefusedData, postgresReason } from './database-url.ts';
import { type FlushInput, flushDocument } from './flush-document.ts';
import { FLUSH_STATEMENT } from './flush-statement.ts';
import { storableJson } from './storable-json.ts';

type RunPlace = Readonly<{ workflowId: string; runId: string }>;

/** Place of a build in a round through all that are open: oldest first. */
type OpenPlace = Readonly<{ createdAtMs: number; workflowId: string }>;

/** The mirror, as builds are ended in it that did not end themselves. Every call fails in time when Postgres is away. */
export type Endings = Readonly<{
  /** Of these ended runs those of which the mirror does not know that the build is over. */
  unsettled(runs: readonly RunPlace[]): Promise<readonly string[]>;
  /** Builds that are open by the mirror and were not heard of since a moment. @param after null: from the oldest */
  silent(after: OpenPlace | null, sinceMs: number, limit: number): Promise<readonly OpenPlace[]>;
  /**
   * Writes the end of a build, unless its branch has one: whoever comes second, writes nothing.
   * @returns `refused`: Postgres does not take these rows, now or later
   */
  finish(input: FlushInput): Promise<'written' | 'known' | 'refused'>;
  close(): Promise<void>;
}>;

type EndingsOptions = Readonly<{
  databaseUrl: string;
  /** Connections at most. */
  poolSize: number;
  /** Of each statement. */
  timeoutMs: number;
}>;

const OPEN: readonly Status[] = ['in_progress', 'error'];
const STANDS = OPEN.flatMap((status) => STATES_OF[status].map((state) => ({ status, state })));
const STAND_VALUES = [STANDS.map(({ status }) => status), STANDS.map(({ state }) => state)];

/** A run that a reset has made says so by its id, whatever the build's row was before. */
const UNSETTLED = `
select run.workflow_id from unnest($1::text[], $2::text[]) run(workflow_id, run_id)
where not exists (
  select from build_workflows b
  where b.id = run.workflow_id and b.run_id = run.run_id and b.status in ('complete', 'cancelled')
)`;

/** One value for all that stands in front of `created_at` in the index, so that each is read from its oldest on. */
const SILENT = `
select page.id, page.created_at from unnest($1::build_status[], $2::build_state[]) stand(status, state)
cross join lateral (
  select id, created_at from build_workflows
  where status = stand.status and current_state = stand.state and (created_at, id) > ($3::timestamptz, $4)
    and updated_at < $5::timestamptz
  order by created_at, id limit $6
) page
order by page.created_at, page.id limit $6`;

/** Flushes of a build take this lock, too; held here before anything is read, so that nothing changes in between. */
const LOCK = 'select pg_advisory_xact_lock(hashtextextended($1, 0))';
const IS_OVER = "select from build_workflows where id = $1 and branch = $2 and status in ('complete', 'cancelled')";

const iso = (atMs: number): string => new Date(atMs).toISOString();

/** Opens no connection until the first call. */
export function createEndings({ databaseUrl, poolSize, timeoutMs }: EndingsOptions): Endings {
  const { pool, close } = createConnections({ databaseUrl, poolSize, query_timeout: timeoutMs });
  const finish = async (input: FlushInput): Promise<'written' | 'known'> => {
    const { workflowId } = input.build.spec;
    const client = await pool.connect();
    let done = false;
    try {
      await client.query('begin');
      await client.query(LOCK, [workflowId]);
      const { rowCount } = await client.query(IS_OVER, [workflowId, input.branch]);
      if (rowCount === 0) await client.query(FLUSH_STATEMENT, [storableJson(flushDocument(input))]);
      await client.query('commit');
      done = true;
      return rowCount === 0 ? 'written' : 'known';
    } finally {
      // A transaction that was not committed ends with its connection.
      client.release(!done);
    }
  };
  const away = (error: unknown): AppError =>
    new AppError(
      'mirror_unavailable',
      `The mirror at ${describeDatabase(databaseUrl)} does not answer: ${postgresReason(error)}.`,
    );
  const read = async <T extends object>(text: string, values: unknown[]): Promise<T[]> => {
    try {
      return (await pool.query<T>(text, values)).rows;
    } catch (error) {
      throw away(error);
    }
  };
  return {
    unsettled: async (runs) => {
      if (runs.length === 0) return [];
      const values = [runs.map(({ workflowId }) => workflowId), runs.map(({ runId }) => runId)];
      return (await read<{ workflow_id: string }>(UNSETTLED, values)).map((row) => row.workflow_id);
    },
    silent: async (after, sinceMs, limit) => {
      const from = [iso(after?.createdAtMs ?? 0), after?.workflowId ?? ''];
      const values = [...STAND_VALUES, ...from, iso(sinceMs), limit];
      const rows = await read<{ id: string; created_at: Date }>(SILENT, values);
      return rows.map(({ id, created_at }) => ({ workflowId: id, createdAtMs: created_at.getTime() }));
    },
    finish: async (input) => {
      try {
        return await finish(input);
      } catch (error) {
        if (isRefusedData(error)) return 'refused';
        throw away(error);
      }
    },
    close,
  };
}
