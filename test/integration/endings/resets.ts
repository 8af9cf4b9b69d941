import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { stateOf } from '../../../src/machine/build.ts';
import type { LastWork } from '../../../src/reconciler/closed-run.ts';

/**
 * The event with which a workflow task completed that first brought a run into a state, as `temporal workflow reset
 * --event-id` takes it: that task is done again, without the command that led to the state.
 */
export async function taskThatLedTo(handle: WorkflowHandle, state: string): Promise<string> {
  const { events } = await handle.fetchHistory();
  for (const { activityTaskScheduledEventAttributes: scheduled } of events ?? []) {
    const [payload] = scheduled?.input?.payloads ?? [];
    if (!scheduled || !payload) continue;
    const { build } = defaultPayloadConverter.fromPayload<LastWork>(payload);
    if (stateOf(build.position) === state) return String(scheduled.workflowTaskCompletedEventId);
  }
  throw new Error(`the run never was in ${state}`);
}
