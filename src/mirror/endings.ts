import type { Pool } from 'pg';
import { AppError } from '../errors.ts';
import type { Status } from '../machine/build.ts';
import { STATES_OF } from './build-list.ts';
import { createConnections } from './connections.ts';
import { describeDatabase, isRefusedData, postgresReason } from './database-url.ts';
import { type FlushInput, flushDocument } from './flush-document.ts';
import { FLUSH_STATEMENT } from './flush-statement.ts';
import { storableJson } from './storable-json.ts';

type KnownRun = Readonly<{ workflowId: string; runId: string; isOpen: boolean }>;

/** Place of a build in a round through all that are open: oldest first. */
type OpenPlace = Readonly<{ createdAtMs: number; workflowId: string }>;

/** The mirror, as builds are written in it whose run cannot do it. Every call fails in time when Postgres is away. */
export type Endings = Readonly<{
  /**
   * The builds of these runs that stand otherwise in the mirror: of ended runs those that are not over by that run, of
   * open ones those that another run wrote last, unless the run has a branch of its own.
   */
  unsettled(runs: readonly KnownRun[]): Promise<readonly string[]>;
  /** Builds that are open by the mirror and were not heard of since a moment. @param after null: from the oldest */
  silent(after: OpenPlace | null, sinceMs: number, limit: number): Promise<readonly OpenPlace[]>;
  /**
   * Writes what is known of a build for a run that does not do it itself: its end, unless its branch has one, or the
   * beginning of its branch, unless that is known. Whoever comes second, writes nothing.
   * @returns `refused`: Postgres does not take these rows, now or later
   */
  write(what: 'end' | 'beginning', input: FlushInput): Promise<'written' | 'known' | 'refused'>;
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
select run.workflow_id from unnest($1::text[], $2::text[], $3::boolean[]) run(workflow_id, run_id, is_open)
left join build_workflows b on b.id = run.workflow_id
left join build_branches own on own.workflow_id = run.workflow_id and own.branch = run.run_id
where case
  when run.is_open then b.run_id <> run.run_id and own.branch is null
  else coalesce(b.run_id <> run.run_id or b.status not in ('complete', 'cancelled'), true)
end`;

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
const IS_WRITTEN = {
  end: "select from build_workflows where id = $1 and branch = $2 and status in ('complete', 'cancelled')",
  beginning: 'select from build_branches where workflow_id = $1 and branch = $2',
} as const;

const iso = (atMs: number): string => new Date(atMs).toISOString();

async function writeOnce(
  pool: Pool,
  what: keyof typeof IS_WRITTEN,
  place: readonly [workflowId: string, branch: string],
  document: string,
): Promise<'written' | 'known'> {
  const client = await pool.connect();
  let done = false;
  try {
    await client.query('begin');
    await client.query(LOCK, [place[0]]);
    const { rowCount } = await client.query(IS_WRITTEN[what], [...place]);
    if (rowCount === 0) await client.query(FLUSH_STATEMENT, [document]);
    await client.query('commit');
    done = true;
    return rowCount === 0 ? 'written' : 'known';
  } finally {
    // A transaction that was not committed ends with its connection.
    client.release(!done);
  }
}

/** Opens no connection until the first call. */
export function createEndings({ databaseUrl, poolSize, timeoutMs }: EndingsOptions): Endings {
  const { pool, close } = createConnections({ databaseUrl, poolSize, query_timeout: timeoutMs });
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
      const values = [
        runs.map(({ workflowId }) => workflowId),
        runs.map(({ runId }) => runId),
        runs.map(({ isOpen }) => isOpen),
      ];
      return (await read<{ workflow_id: string }>(UNSETTLED, values)).map((row) => row.workflow_id);
    },
    silent: async (after, sinceMs, limit) => {
      const from = [iso(after?.createdAtMs ?? 0), after?.workflowId ?? ''];
      const values = [...STAND_VALUES, ...from, iso(sinceMs), limit];
      const rows = await read<{ id: string; created_at: Date }>(SILENT, values);
      return rows.map(({ id, created_at }) => ({ workflowId: id, createdAtMs: created_at.getTime() }));
    },
    write: async (what, input) => {
      const { branch, build } = input;
      const document = storableJson(flushDocument(input));
      try {
        return await writeOnce(pool, what, [build.spec.workflowId, branch], document);
      } catch (error) {
        if (isRefusedData(error)) return 'refused';
        throw away(error);
      }
    },
    close,
  };
}
