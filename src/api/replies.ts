import { z } from 'zod';
import { PHASES, ROLES, STATES } from '../machine/states.ts';

const state = z.enum(STATES);
const role = z.enum(ROLES);
const status = z.enum(['in_progress', 'error', 'complete', 'cancelled']);
const timestamp = z.iso.datetime();
const json = z.record(z.string(), z.unknown());

export const startReply = z.strictObject({
  workflow_id: z.uuid(),
  build_id: z.string(),
  initial_state: state,
  status: z.literal('started'),
  current_role: role,
  next_role: role,
  instructions: z.string(),
});

export const advanceReply = z.strictObject({
  workflow_id: z.string(),
  previous_state: state,
  new_state: state,
  next_role: role.nullable(),
  handoff_data: json,
  is_complete: z.boolean(),
  state_description: z.string(),
});

export const retryReply = z.strictObject({
  workflow_id: z.string(),
  retry_requested: z.literal(true),
  previous_state: state,
  new_state: state,
  reason: z.string(),
  timestamp,
});

export const rollbackReply = z.strictObject({
  workflow_id: z.string(),
  rollback_successful: z.literal(true),
  previous_state: state,
  new_state: state,
  reason: z.string(),
  rolled_back_by: z.string(),
  timestamp,
});

export const abortReply = z.strictObject({
  workflow_id: z.string(),
  aborted: z.literal(true),
  previous_state: state,
  status,
  reason: z.string(),
  timestamp,
});

/** `undone`: a reset of the workflow has taken the row back; it stays in the audit. */
const handoff = z.strictObject({
  seq: z.int(),
  from_role: role,
  to_role: role,
  from_state: state,
  to_state: state,
  timestamp,
  data_transferred: json,
  notes: z.string().nullable(),
  undone: z.boolean(),
});
export type HandoffReply = z.infer<typeof handoff>;

const event = z.strictObject({
  /** `<generation>.<seq>` */
  id: z.string(),
  seq: z.int(),
  event_type: z.string(),
  triggered_by: z.string(),
  event_data: json,
  timestamp,
  undone: z.boolean(),
});
export type EventReply = z.infer<typeof event>;

export const historyReply = z.strictObject({
  workflow_id: z.string(),
  handoff_count: z.int(),
  total_handoffs: z.int(),
  handoffs: z.array(handoff),
  events: z.array(event),
  next_cursor: z.string().nullable(),
});

/** Fields that only the workflow or the mirror can tell are null when `source` is `temporal`. */
export const statusReply = z.strictObject({
  workflow_id: z.string(),
  build_id: z.string(),
  project_id: z.string(),
  current_state: state,
  current_role: role,
  next_role: role.nullable(),
  status,
  state_description: z.string(),
  progress: z.strictObject({ percentage: z.int(), completed: z.int(), total: z.int() }),
  completed_phases: z.array(z.enum(PHASES)),
  attempt: z.int().nullable(),
  driver: z.enum(['llm', 'external']).nullable(),
  simulated: z.boolean().nullable(),
  model: z.string().nullable(),
  tokens: z.number().nullable(),
  handoff_history: z.array(handoff),
  /** False when the mirror does not answer and rows are missing, and when there are more than 500. */
  handoff_history_complete: z.boolean(),
  elapsed_time: z.string(),
  created_at: timestamp,
  updated_at: timestamp,
  completed_at: timestamp.nullable(),
  next_expectations: z.strictObject({
    role: z.enum([...ROLES, 'operator']).nullable(),
    task: z.string(),
    deadline: timestamp.nullable(),
  }),
  source: z.enum(['workflow', 'mirror', 'temporal']),
});
