/** The thread in which a worker runs its workflows: the SDK's own, compiled with what it needs (scripts/package-modules.mjs). */
import '@temporalio/worker/lib/workflow/workflow-worker-thread.js';
