import { type BuildSpec, isExternal, type Outcome } from './build.ts';
import type { AuditRow } from './events.ts';
import type { JsonObject } from './json.ts';
import { describeOutcome } from './progress.ts';
import { nextRole, type Role, type State } from './states.ts';

/** What an operation answers. It follows from what became of it alone, so that a repetition answers the same for ever. */
export type OperationReply = Readonly<{
  previous_state: State;
  new_state: State;
  status: Outcome['status'];
  next_role: Role | null;
  /** Who does that role's phases; null where nobody acts next. */
  next_driver: 'llm' | 'external' | null;
  handoff_data: JsonObject;
  /** The row whose handoff has the `handoff_data` when the workflow holds it no more: then the mirror does. Else null. */
  handoff_seq: number | null;
  is_complete: boolean;
  state_description: string;
  timestamp: string;
}>;

/** @param held the rows that are still at hand */
export function operationReply(spec: BuildSpec, outcome: Outcome, held: readonly AuditRow[]): OperationReply {
  const { previousState, newState, status, atMs, handedOn } = outcome;
  const role = status === 'cancelled' ? null : nextRole(newState);
  const row = handedOn && held.find(({ seq }) => seq === handedOn.seq);
  return {
    previous_state: previousState,
    new_state: newState,
    status,
    next_role: role,
    next_driver: role && (isExternal(spec, role) ? 'external' : 'llm'),
    handoff_data: row?.handoff?.data ?? {},
    handoff_seq: handedOn !== null && row === undefined ? handedOn.seq : null,
    is_complete: newState === 'complete',
    state_description: describeOutcome(outcome),
    timestamp: new Date(atMs).toISOString(),
  };
}
