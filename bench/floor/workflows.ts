import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { FloorActivities } from './activities.ts';

// The options of the product's phase activity, so that both pay for the same guarantees.
const { nothing } = proxyActivities<FloorActivities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '5s',
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s', maximumAttempts: 8 },
});

/** What any workflow costs on this server. */
export async function empty(): Promise<void> {}

/** What six activities one after another cost on this server, whatever they do. */
export async function six(): Promise<void> {
  for (let i = 0; i < 6; i++) await nothing();
}
