import { Prisma, type PrismaClient } from '../../prisma/client/client.ts';
import { STATUSES, type Status } from '../machine/build.ts';
import { STATES, type State } from '../machine/states.ts';
import type { StatusView } from '../machine/status-view.ts';

/** Place of a build in every list: two builds may be made in one millisecond, so their ids decide. */
export type BuildPlace = Readonly<{ createdAtMs: number; id: string }>;

/** Null stands for every one. */
export type BuildFilter = Readonly<{
  projectIds: readonly string[] | null;
  userId: string | null;
  state: State | null;
  status: Status | null;
  /** Behind which build the page begins, which need not be there (any more); null: with the newest. */
  after: BuildPlace | null;
  limit: number;
}>;

export type ListedBuild = Readonly<{
  userId: string;
  /** The status at the last flush. */
  view: StatusView;
}>;

/** Newest first; `next` is the `after` of the page behind this one, null on the last. */
export type BuildPage = Readonly<{ builds: readonly ListedBuild[]; next: BuildPlace | null }>;

/** Every state in which builds of a status stand. */
export const STATES_OF: Readonly<Record<Status, readonly State[]>> = {
  in_progress: STATES.filter((state) => state !== 'complete' && state !== 'error'),
  error: ['error'],
  complete: ['complete'],
  cancelled: STATES.filter((state) => state !== 'complete'),
};

type Stand = Readonly<{ status: Status; state: State }>;

/**
 * The stands (a status with a state) that a filter leaves. Null where they are looked at, not looked up: in the list of
 * all builds, and in those of a person, who has few in most projects.
 */
function standsOf({ projectIds, userId, state, status }: BuildFilter): Stand[] | null {
  const isWhole = projectIds === null && state === null && status === null;
  if (userId !== null || isWhole) return null;
  return STATUSES.filter((one) => status === null || one === status).flatMap((one) =>
    STATES_OF[one].filter((at) => state === null || at === state).map((at) => ({ status: one, state: at })),
  );
}

const given = (clauses: readonly (Prisma.Sql | null)[]): Prisma.Sql[] => clauses.filter((clause) => clause !== null);

/** Where the rows of a list are looked up: one value each of what stands in front of `created_at` in an index. */
function sourcesOf({ projectIds }: BuildFilter, stands: readonly Stand[] | null): Prisma.Sql[] {
  const statuses = stands?.map(({ status }) => status);
  const states = stands?.map(({ state }) => state);
  return given([
    projectIds && Prisma.sql`unnest(${[...projectIds]}::text[]) project(id)`,
    stands && Prisma.sql`unnest(${statuses}::build_status[], ${states}::build_state[]) stand(status, state)`,
  ]);
}

function conditionsOf(
  { projectIds, userId, state, status, after }: BuildFilter,
  stands: readonly Stand[] | null,
): Prisma.Sql[] {
  const since = after && new Date(after.createdAtMs).toISOString();
  return given([
    projectIds && Prisma.sql`project_id = project.id`,
    userId === null ? null : Prisma.sql`user_id = ${userId}`,
    stands && Prisma.sql`status = stand.status and current_state = stand.state`,
    stands !== null || status === null ? null : Prisma.sql`status = ${status}::build_status`,
    stands !== null || state === null ? null : Prisma.sql`current_state = ${state}::build_state`,
    after && Prisma.sql`(created_at, id) < (${since}::timestamptz, ${after.id})`,
  ]);
}

/**
 * In front of `created_at` every index has columns that must each be given one value, so that its end is the newest
 * build. So where a filter leaves several projects or stands, each is read by itself, a page at most, and the newest of
 * all are taken: however many builds there are, a list reads no more than its pages.
 */
function statement(filter: BuildFilter, limit: number): Prisma.Sql {
  const stands = standsOf(filter);
  const conditions = conditionsOf(filter, stands);
  const where = conditions.length === 0 ? Prisma.empty : Prisma.sql`where ${Prisma.join(conditions, ' and ')}`;
  const newestFirst = Prisma.sql`order by created_at desc, id desc limit ${limit}`;
  const page = Prisma.sql`lateral (
    select id, created_at, user_id, workflow_metadata from build_workflows ${where} ${newestFirst}
  ) page`;
  const sources = Prisma.join([...sourcesOf(filter, stands), page], ' cross join ');
  // The view is taken out of the metadata last, of the rows that are left: what is large is decompressed for it.
  return Prisma.sql`
    select id, created_at, user_id, workflow_metadata -> 'view' as view
    from (select page.* from ${sources} ${newestFirst}) newest order by created_at desc, id desc`;
}

type Row = Readonly<{ id: string; created_at: Date; user_id: string; view: StatusView }>;

/** A page of the builds that fit a filter. */
export async function listBuilds(prisma: PrismaClient, filter: BuildFilter): Promise<BuildPage> {
  // One more than asked for tells whether there is a next page.
  const rows = await prisma.$queryRaw<Row[]>(statement(filter, filter.limit + 1));
  const shown = rows.slice(0, filter.limit);
  const last = shown.at(-1);
  const hasMore = last !== undefined && rows.length > shown.length;
  return {
    builds: shown.map(({ user_id: userId, view }) => ({ userId, view })),
    next: hasMore ? { createdAtMs: last.created_at.getTime(), id: last.id } : null,
  };
}
