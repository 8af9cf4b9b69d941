import { type Content, type ModelCall, shownData, stateOf } from '../machine/build.ts';
import type { AuditRow } from '../machine/events.ts';
import type { Json, JsonObject } from '../machine/json.ts';
import type { BuildSnapshot } from '../machine/snapshot.ts';
import { PHASES } from '../machine/states.ts';
import { statusView } from '../machine/status-view.ts';

/** What one flush writes. */
export type FlushInput = Readonly<{
  /** Constant over continue-as-new, new after a reset. */
  branch: string;
  runId: string;
  /** The server's time of the workflow task that sends the rows, in milliseconds since 1970. */
  openedAtMs: number;
  build: BuildSnapshot;
  /** In order, without gap; may be empty. */
  rows: readonly AuditRow[];
}>;

const INT_MAX = 2 ** 31 - 1;

/** A count as an integer column takes it: what a provider says of its tokens is not to be trusted. */
const count = (value: number): number =>
  Number.isFinite(value) ? Math.min(INT_MAX, Math.max(0, Math.round(value))) : 0;

const iso = (atMs: number): string => new Date(atMs).toISOString();

const shown = (content: Content | null): Json =>
  content === null ? null : content.kind === 'inline' ? content.value : { artifact: { ...content.ref } };

/** `workflow_metadata`: what the start fixed, and the status as its readers saw it at this flush. */
function metadataOf(build: BuildSnapshot): JsonObject {
  const { spec } = build;
  return {
    requirements: shown(spec.requirements),
    metadata: shown(spec.metadata),
    model: spec.model,
    external_roles: spec.externalRoles,
    coverage_min: spec.coverageMin,
    start_digest: spec.startDigest,
    simulated: spec.simulated,
    view: statusView(build, build.updatedAtMs),
  };
}

/** The build's row. Keys that are missing become null columns. */
function buildRow({ build, branch, runId, openedAtMs, rows }: FlushInput): Record<string, Json> {
  const { spec, position } = build;
  const results = PHASES.flatMap((phase) => {
    const result = build.results[phase];
    return result ? [[`${phase}_phase`, shownData(result)] as const] : [];
  });
  const failures = PHASES.map((phase) => [`${phase}_failures`, build.tally.failures[phase] ?? 0] as const);
  return {
    id: spec.workflowId,
    build_id: spec.buildId,
    project_id: spec.projectId,
    user_id: spec.userId,
    current_state: stateOf(position),
    status: position.status,
    created_at: iso(build.createdAtMs),
    updated_at: iso(build.updatedAtMs),
    ...(position.status === 'complete' ? { completed_at: iso(position.endedAtMs) } : {}),
    ...Object.fromEntries(results),
    workflow_metadata: metadataOf(build),
    handoff_count: build.tally.handoffs,
    ...Object.fromEntries(failures),
    branch,
    run_id: runId,
    opened_at: iso(openedAtMs),
    last_seq: build.seq,
    // Without rows the branch has confirmed all up to build.seq, so that it begins behind it.
    first_seq: rows[0]?.seq ?? build.seq + 1,
  };
}

const attemptOf = ({ data }: AuditRow): number | null =>
  typeof data.attempt === 'number' && data.attempt >= 1 ? count(data.attempt) : null;

const eventRow = (row: AuditRow) => ({
  seq: row.seq,
  event_type: row.type,
  triggered_by: row.by,
  event_data: row.data,
  attempt: attemptOf(row),
  timestamp: iso(row.atMs),
});

const handoffRow = (row: AuditRow, handoff: NonNullable<AuditRow['handoff']>) => ({
  seq: row.seq,
  from_role: handoff.fromRole,
  to_role: handoff.toRole,
  from_state: handoff.fromState,
  to_state: handoff.toState,
  data_transferred: handoff.data,
  notes: handoff.notes,
  attempt: attemptOf(row),
  timestamp: iso(row.atMs),
});

/** A call's row; phase and attempt are those of the attempt that made it. */
export const callRow = (call: ModelCall, phase: Json | undefined, attempt: number, atMs: number) => ({
  phase,
  attempt: count(attempt),
  call_id: call.id,
  model: call.model,
  provider: call.provider,
  prompt_tokens: count(call.promptTokens),
  completion_tokens: count(call.completionTokens),
  duration_ms: count(call.durationMs),
  outcome: call.outcome,
  at: iso(atMs),
});

/** Every event that carries calls names its phase and attempt; a row that does not must not hold up the others. */
function callRows(row: AuditRow) {
  const attempt = attemptOf(row);
  const phase = PHASES.find((known) => known === row.data.phase);
  if (!row.calls || attempt === null || phase === undefined) return [];
  return row.calls.map((call) => callRow(call, phase, attempt, row.atMs));
}

/** The one parameter of the flush statement. */
export function flushDocument(input: FlushInput) {
  return {
    build: buildRow(input),
    events: input.rows.map(eventRow),
    handoffs: input.rows.flatMap((row) => (row.handoff ? [handoffRow(row, row.handoff)] : [])),
    calls: input.rows.flatMap(callRows),
  };
}
