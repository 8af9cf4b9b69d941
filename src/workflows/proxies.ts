import type { RetryPolicy } from '@temporalio/common';
import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/contract.ts';

/** A worker that dies is noticed after this long; activities report every 1 to 2.5 s. */
const HEARTBEAT_TIMEOUT_MS = 5000;

/**
 * Phases: tries are bounded, so that what cannot succeed parks the build; the deadline of each attempt is given with the
 * call. There is no schedule-to-close deadline: it would count queueing and outages, which active time never does.
 */
export const { phase, measure, openSource, commitFiles, undoRelease } = proxyActivities<
  Pick<Activities, 'phase' | 'measure' | 'openSource' | 'commitFiles' | 'undoRelease'>
>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s', maximumAttempts: 8 },
});

/** For what a build owes that is over: nobody can mend and retry it, so its tries go on until it is done. */
export const UNTIL_DONE: RetryPolicy = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s' };

/** Somebody is told of a release; who does not listen within some minutes is not told. */
export const { announce } = proxyActivities<Pick<Activities, 'announce'>>({
  startToCloseTimeout: '30s',
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  retry: { initialInterval: '2s', backoffCoefficient: 3, maximumInterval: '60s', maximumAttempts: 6 },
});

/** The patient flush: goes on until the mirror is back. Its tries add nothing to the history. */
export const { flush } = proxyActivities<Pick<Activities, 'flush'>>({
  startToCloseTimeout: '10s',
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '5s' },
});

/** The quick flush: one try inside the workflow task, one event in the history instead of six. */
export const { flush: flushLocally } = proxyLocalActivities<Pick<Activities, 'flush'>>({
  startToCloseTimeout: '2s',
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  retry: { maximumAttempts: 1 },
});
