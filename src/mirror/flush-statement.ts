type Columns = Readonly<Record<string, string>>;

const BUILD: Columns = {
  id: 'text',
  build_id: 'text',
  project_id: 'text',
  user_id: 'text',
  current_state: 'build_state',
  status: 'build_status',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  completed_at: 'timestamptz',
  discovery_phase: 'jsonb',
  planning_phase: 'jsonb',
  implementation_phase: 'jsonb',
  testing_phase: 'jsonb',
  verification_phase: 'jsonb',
  deployment_phase: 'jsonb',
  workflow_metadata: 'jsonb',
  handoff_count: 'int',
  discovery_failures: 'int',
  planning_failures: 'int',
  implementation_failures: 'int',
  testing_failures: 'int',
  verification_failures: 'int',
  deployment_failures: 'int',
  branch: 'text',
  run_id: 'text',
  last_seq: 'int',
};

const EVENT: Columns = {
  seq: 'int',
  event_type: 'text',
  triggered_by: 'audit_trigger',
  event_data: 'jsonb',
  attempt: 'int',
  timestamp: 'timestamptz',
};

const HANDOFF: Columns = {
  seq: 'int',
  from_role: 'build_role',
  to_role: 'build_role',
  from_state: 'build_state',
  to_state: 'build_state',
  data_transferred: 'jsonb',
  notes: 'text',
  attempt: 'int',
  timestamp: 'timestamptz',
};

const CALL: Columns = {
  phase: 'build_phase',
  attempt: 'int',
  call_id: 'text',
  model: 'text',
  provider: 'text',
  prompt_tokens: 'int',
  completion_tokens: 'int',
  duration_ms: 'int',
  outcome: 'text',
  at: 'timestamptz',
};

const names = (columns: Columns): string => Object.keys(columns).join(', ');
const typed = (columns: Columns): string =>
  Object.entries(columns)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ');

/** `ofBuild`: columns that every row has from its build. */
const audit = (table: string, list: string, columns: Columns, ofBuild: readonly string[]): string => `
  insert into ${table} (workflow_id, ${ofBuild.join(', ')}, ${names(columns)})
  select $1 -> 'build' ->> 'id', ${ofBuild.map((name) => `$1 -> 'build' ->> '${name}'`).join(', ')}, x.*
  from jsonb_to_recordset($1 -> '${list}') as x(${typed(columns)})
  on conflict (workflow_id, branch, seq) do nothing`;

/** A result that is there already keeps its stored form: a large one would be compressed and written anew each time. */
const update = (name: string): string =>
  name.endsWith('_phase')
    ? `${name} = case when known.${name} = excluded.${name} then known.${name} else excluded.${name} end`
    : `${name} = excluded.${name}`;

const updates = Object.keys(BUILD)
  .filter((name) => name !== 'id' && name !== 'build_id')
  .map(update)
  .join(', ');

/**
 * One statement, so that a flush is written whole or not at all; its one parameter is a {@link flushDocument}.
 *
 * Any flush may come twice, late, or be overtaken. Audit rows are written once by their key. A branch keeps the time at
 * which it was opened, and only its first_seq may fall: lowering opened_at as well would let the row of an older branch
 * win. The build's row follows the newest branch, and in it the highest sequence number. Foreign keys are checked at the
 * end of a statement, so that the rows may name a build that the same statement makes.
 *
 * Flushes of one build take turns (the lock of `alone`, held to the end of the statement): `on conflict (id)` watches
 * one key only, and two first flushes at once would collide on the other, build_id.
 */
export const FLUSH_STATEMENT = `
with alone as (
  select pg_advisory_xact_lock(hashtextextended($1::jsonb -> 'build' ->> 'id', 0))
), opened as (
  insert into build_branches as known (workflow_id, branch, first_seq, opened_at)
  select x.* from alone, jsonb_to_record($1 -> 'build') as x(id text, branch text, first_seq int, opened_at timestamptz)
  on conflict (workflow_id, branch) do update set first_seq = least(known.first_seq, excluded.first_seq)
  returning opened_at
), written_events as (${audit('workflow_events', 'events', EVENT, ['branch', 'run_id', 'project_id'])}
), written_handoffs as (${audit('workflow_handoffs', 'handoffs', HANDOFF, ['branch', 'run_id'])}
), written_calls as (
  insert into workflow_model_calls (workflow_id, branch, ${names(CALL)})
  select $1 -> 'build' ->> 'id', $1 -> 'build' ->> 'branch', x.*
  from jsonb_to_recordset($1 -> 'calls') as x(${typed(CALL)})
  on conflict (workflow_id, branch, phase, attempt, call_id) do nothing
)
insert into build_workflows as known (${names(BUILD)}, opened_at)
select x.*, opened.opened_at from opened, jsonb_to_record($1 -> 'build') as x(${typed(BUILD)})
on conflict (id) do update set ${updates}, opened_at = excluded.opened_at
where (known.opened_at, known.last_seq) < (excluded.opened_at, excluded.last_seq)`;

/** Calls of an attempt that was cancelled; nothing while the mirror does not know the build. */
export const CALLS_STATEMENT = `
insert into workflow_model_calls (workflow_id, branch, ${names(CALL)})
select known.id, $1 ->> 'branch', x.*
from build_workflows known, jsonb_to_recordset($1::jsonb -> 'calls') as x(${typed(CALL)})
where known.id = $1 ->> 'workflow_id'
on conflict (workflow_id, branch, phase, attempt, call_id) do nothing`;
