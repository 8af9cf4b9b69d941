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
const STATES_OF: Readonly<Record<Status, readonly State[]>> = {
  in_progress: STATES.filter((state) => state !== 'complete' && state !== 'error'),
  error: ['error'],
  complete: ['complete'],
  cancelled: STATES.filter((state) => state !== 'complete'),
};

type Stand = Readonly<{ status: Status; state: State }>;

const standsOf = ({ state, status }: BuildFilter): Stand[] =>
  STATUSES.filter((one) => status === null || one === status).flatMap((one) =>
    STATES_OF[one].filter((at) => state === null || at === state).map((at) => ({ status: one, state: at })),
  );

/**
 * In front of `created_at` every index has columns that must each be given one value, so that its end is the newest
 * build. So where a filter leaves several projects or stands (a status with a state), each is read by itself, a page at
 * most, and the newest of all are taken: however many builds there are, a list reads no more than its pages.
 *
 * Builds of a person are few in most projects, so their states are looked at, not looked up.
 */
function read({ projectIds, userId, state, status, after, limit }: BuildFilter, stands: readonly Stand[] | null) {
  const sources = [
    ...(projectIds === null ? [] : [Prisma.sql`unnest(${[...projectIds]}::text[]) project(id)`]),
    ...(stands === null
      ? []
      : [
          Prisma.sql`unnest(${stands.map((one) => one.status)}::build_status[],
            ${stands.map((one) => one.state)}::build_state[]) stand(status, state)`,
        ]),
  ];
  const conditions = [
    ...(projectIds === null ? [] : [Prisma.sql`project_id = project.id`]),
    ...(stands === null ? [] : [Prisma.sql`status = stand.status and current_state = stand.state`]),
    ...(stands !== null || state === null ? [] : [Prisma.sql`current_state = ${state}::build_state`]),
    ...(stands !== null || status === null ? [] : [Prisma.sql`status = ${status}::build_status`]),
    ...(userId === null ? [] : [Prisma.sql`user_id = ${userId}`]),
    ...(after === null
      ? []
      : [Prisma.sql`(created_at, id) < (${new Date(after.createdAtMs).toISOString()}::timestamptz, ${after.id})`]),
  ];
  const newestFirst = Prisma.sql`order by created_at desc, id desc limit ${limit}`;
  const where = conditions.length === 0 ? Prisma.empty : Prisma.sql`where ${Prisma.join(conditions, ' and ')}`;
  const page = Prisma.sql`lateral (
    select id, created_at, user_id, workflow_metadata from build_workflows ${where} ${newestFirst}) page`;
  // The view is taken out of the metadata of the rows that are left: what is large is decompressed for it.
  return Prisma.sql`
    select id, created_at, user_id, workflow_metadata -> 'view' as view from (
      select page.* from ${Prisma.join([...sources, page], ' cross join ')} ${newestFirst}) newest
    ${Prisma.sql`order by created_at desc, id desc`}`;
}

type Row = Readonly<{ id: string; created_at: Date; user_id: string; view: StatusView }>;

/** A page of the builds that fit a filter. */
export async function listBuilds(prisma: PrismaClient, filter: BuildFilter): Promise<BuildPage> {
  const isNarrow = filter.userId !== null;
  const isWhole = filter.projectIds === null && filter.state === null && filter.status === null;
  const stands = isNarrow || isWhole ? null : standsOf(filter);
  // One more than asked for tells whether there is a next page.
  const rows = await prisma.$queryRaw<Row[]>(read({ ...filter, limit: filter.limit + 1 }, stands));
  const shown = rows.slice(0, filter.limit);
  const last = shown.at(-1);
  const hasMore = last !== undefined && rows.length > shown.length;
  return {
    builds: shown.map(({ user_id: userId, view }) => ({ userId, view })),
    next: hasMore ? { createdAtMs: last.created_at.getTime(), id: last.id } : null,
  };
}
