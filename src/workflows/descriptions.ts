import type { MessageName } from '../machine/messages.ts';
import type { QUERY_NAMES } from './messages.ts';

/** What the Web UI's forms show: what a message does, and an input to copy. */
export const MESSAGE_DESCRIPTIONS = {
  retry:
    'Sends the work back to the phase before, or resumes a build that is parked in error. ' +
    'Example: {"reason": "the parser ignores quotes", "actor": "ann", "expected_state": "testing"}',
  rollback:
    'Goes back to a phase that was already reached: results, conversation and files become what they were before it. ' +
    'Example: {"target_state": "planning", "reason": "wrong approach", "actor": "ann"}',
  advance:
    'Completes the phase (or acknowledges the handoff) in place of the role that owns it; a running model call is cancelled. ' +
    'Example: {"role": "q_assistant", "completed_state": "planning", "phase_result": {"plan": "…"}, "actor": "ann"}',
  abort: 'Ends the build for good. Example: {"reason": "no longer needed", "actor": "ann"}',
} as const satisfies Record<MessageName, string>;

const NO_INPUT = 'Takes no input: leave it empty. Example: {}';

export const QUERY_DESCRIPTIONS = {
  status: `Where the build is: state, role, progress, what is expected next. ${NO_INPUT}`,
  history: `The newest rows of the audit, with those that the mirror does not have yet. ${NO_INPUT}`,
  prompt: `What the prompt of the current phase is made from; null once the build is over. ${NO_INPUT}`,
} as const satisfies Record<(typeof QUERY_NAMES)[number], string>;
