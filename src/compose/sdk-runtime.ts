import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';

/** An activity that ends after its build has closed is normal (a cancelled call): the core warns of each. */
const NORMAL = /Activity not found on completion/;

/** The SDK's runtime logs where the product does. Must run before anything else of the SDK, once per process. */
export function installRuntime(log: Logger): void {
  const sdk = log.child({ from: 'temporal' });
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      if (!NORMAL.test(message)) sdk[levels[level]](pick(meta), message);
    }),
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
    // Entry points close the worker themselves, in order.
    shutdownSignals: [],
  });
}

/** What of the SDK's metadata helps a reader; task tokens and the like do not. */
function pick(meta: Record<string, unknown> | undefined): Record<string, unknown> {
  const { workflowId, activityType, attempt, error } = meta ?? {};
  const told = error instanceof Error ? error.message : error;
  return { workflowId, activityType, attempt, ...(told === undefined ? {} : { error: told }) };
}
