import type { WorkflowInterceptors } from '@temporalio/workflow';

/** The SDK keeps names that begin so for itself. */
const RESERVED_PREFIX = '__temporal_';

/**
 * A signal of a reserved name is given another one before the SDK sees it: the SDK fails the workflow task when it is about
 * to pass such a signal to a default handler, so that one of them would stop its build for good. Under its other name it is
 * refused like any unknown signal. It is the same on replay, where the job comes with the name that the history has.
 */
export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      activate: (input, next) => {
        for (const { signalWorkflow } of input.activation.jobs ?? []) {
          const name = signalWorkflow?.signalName;
          if (signalWorkflow && name?.startsWith(RESERVED_PREFIX)) signalWorkflow.signalName = `reserved: ${name}`;
        }
        next(input);
      },
    },
  ],
});
