/** A row with its place, its handoff and, where it is the last one of a build that is over, how that ended. */
const SELECT = `
select e.id, e.workflow_id, e.project_id, place.generation, e.seq, e.event_type, e.triggered_by, e.event_data, e.timestamp,
  place.undone, h.from_role, h.to_role, h.from_state, h.to_state, h.data_transferred, h.notes,
  case when b.status in ('complete', 'cancelled') and (b.branch, b.last_seq) = (e.branch, e.seq) then b.status end as ending
from picked e
join build_workflows b on b.id = e.workflow_id
left join workflow_handoffs h on (h.workflow_id, h.branch, h.seq) = (e.workflow_id, e.branch, e.seq)
cross join lateral (
  select coalesce(max(own.generation), 0) as generation, coalesce(bool_or(later.first_seq <= e.seq), false) as undone
  from audit_branches own
  left join audit_branches later on later.workflow_id = e.workflow_id and later.generation > own.generation
  where own.workflow_id = e.workflow_id and own.branch = e.branch
) place
order by e.id`;

/**
 * $1 and $2: a stretch of ids; $3: builds; $4: projects. The stretch is cut out first: it is short, and nothing else may
 * decide how the rows are looked for.
 */
export const FEED_ROWS = `
with stretch as materialized (select * from workflow_events where id > $1 and id <= $2),
picked as (select * from stretch where workflow_id = any($3::text[]) or project_id = any($4::text[]))
${SELECT}`;

const page = (bounds: string): string => `
with picked as materialized (select * from workflow_events where ${bounds} limit $4)
${SELECT}`;

/**
 * $1 and $2: a stretch of ids; $3: the build or project; $4: rows at most. A project's rows are bounded and ordered by both
 * columns of their index: by id alone the planner may go through the rows of all projects.
 */
export const FEED_PAGE = {
  build: page('workflow_id = $3 and id > $1 and id <= $2 order by id'),
  project: page('(project_id, id) > ($3, $1) and (project_id, id) <= ($3, $2) order by project_id, id'),
} as const;

/** The highest id that is visible. */
export const FEED_END = 'select coalesce(max(id), 0) as position from workflow_events';

/** Transactions that have begun to insert events; names are not given again while the server runs. */
export const FEED_WRITERS = `
select distinct virtualtransaction as writer from pg_locks
where locktype = 'relation' and relation = 'workflow_events'::regclass and mode = 'RowExclusiveLock' and granted
  and database = (select oid from pg_database where datname = current_database())`;

/**
 * $1: a build; $2 and $3: a place. The row at that place or, where there is none, the last before it. A build is over when
 * its status is, its last row is here, and no row of it is behind.
 */
export const FEED_LOCATE = `
select at.position, coalesce(b.status in ('complete', 'cancelled') and last.position <= at.position, false) as over
from build_workflows b
cross join lateral (
  select coalesce((
    select e.id from audit_events e
    where e.workflow_id = b.id and (e.generation, e.seq) <= ($2::int, $3::int)
    order by e.generation desc, e.seq desc limit 1
  ), 0) as position
) at
left join lateral (
  select max(e.id) as position from workflow_events e
  where e.workflow_id = b.id having bool_or((e.branch, e.seq) = (b.branch, b.last_seq))
) last on true
where b.id = $1`;
