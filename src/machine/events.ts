import type { ModelCall } from './build.ts';
import type { JsonObject } from './json.ts';
import type { Role, State } from './states.ts';

export const EVENT_TYPES = [
  'build_started',
  'phase_started',
  'phase_completed',
  'handoff_acknowledged',
  'sent_back',
  'retry_requested',
  'rolled_back',
  'preempted',
  'late_result',
  'parked',
  'resumed',
  'completed',
  'aborted',
  'signal_rejected',
  'source_opened',
  'files_committed',
  'release_undone',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Who set an event off. The person's name, where there is one, is in `event_data.actor`. */
export type Trigger = Role | 'operator' | 'system';

/** The record of what one phase passed on to the next. */
export type Handoff = Readonly<{
  fromRole: Role;
  toRole: Role;
  fromState: State;
  toState: State;
  data: JsonObject;
  notes: string | null;
}>;

/**
 * One line of the audit trail, with the handoff it made, if it made one, and the model calls that led to it.
 * `seq` counts from 1 without gap over the whole build, continue-as-new included.
 */
export type AuditRow = Readonly<{
  seq: number;
  atMs: number;
  type: EventType;
  by: Trigger;
  data: JsonObject;
  handoff?: Handoff;
  calls?: readonly ModelCall[];
}>;
