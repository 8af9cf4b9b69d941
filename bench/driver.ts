import { randomUUID } from 'node:crypto';
import { type Client, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/client';
import type { BuildSpec } from '../src/machine/build.ts';
import { within } from '../src/stack/within.ts';
import { MEMO_START_DIGEST, WORKFLOW_TYPE } from '../src/workflows/messages.ts';
import { BUILD_ID, BUILD_NEEDS_OPERATOR, BUILD_PROJECT, BUILD_STATE } from '../src/workflows/search-attributes.ts';

const RESULT_DEADLINE_MS = 180_000;

/** One kind of workflow that can be started, run to its end, and told from others. */
export type Subject = Readonly<{
  name: string;
  /** Starts one and gives its workflow id. */
  start(): Promise<string>;
}>;

/** A workflow that the bench has run, and when it began and ended for its client, by `performance.now()`. */
export type Run = Readonly<{ workflowId: string; startedAtMs: number; endedAtMs: number }>;

export function floorSubject(client: Client, taskQueue: string, type: 'empty' | 'six'): Subject {
  return {
    name: `floor-${type}`,
    start: async () => {
      const workflowId = `${type}-${randomUUID()}`;
      await client.workflow.start(type, { taskQueue, workflowId, workflowTaskTimeout: '3s' });
      return workflowId;
    },
  };
}

const specOf = (workflowId: string, requirements: string): BuildSpec => ({
  workflowId,
  buildId: workflowId,
  projectId: 'bench',
  userId: 'bench',
  requirements: { kind: 'inline', value: requirements },
  metadata: null,
  model: null,
  externalRoles: [],
  coverageMin: 80,
  maxSendBacks: 3,
  activeTimeoutMs: 3_600_000,
  startDigest: 'bench',
  simulated: true,
});

/** Builds, started as the API starts them. */
export function buildSubject(client: Client, taskQueue: string, requirements = 'an answer'): Subject {
  return {
    name: 'build',
    start: async () => {
      const workflowId = randomUUID();
      const spec = specOf(workflowId, requirements);
      await client.workflow.start(WORKFLOW_TYPE, {
        taskQueue,
        workflowId,
        workflowTaskTimeout: '3s',
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        args: [{ spec }],
        memo: { [MEMO_START_DIGEST]: spec.startDigest },
        typedSearchAttributes: [
          { key: BUILD_STATE, value: 'discovery' },
          { key: BUILD_PROJECT, value: spec.projectId },
          { key: BUILD_ID, value: spec.buildId },
          { key: BUILD_NEEDS_OPERATOR, value: false },
        ],
        staticSummary: `${spec.projectId}: ${requirements}`,
      });
      return workflowId;
    },
  };
}

/** Runs one to its end. @throws when it does not complete */
export async function runOne(client: Client, subject: Subject): Promise<Run> {
  const startedAtMs = performance.now();
  const workflowId = await subject.start();
  const result: unknown = await within(client.workflow.getHandle(workflowId).result(), RESULT_DEADLINE_MS);
  requireComplete(workflowId, result);
  return { workflowId, startedAtMs, endedAtMs: performance.now() };
}

/** A parked or aborted build ends too, or never: only a complete one counts. */
function requireComplete(workflowId: string, result: unknown): void {
  if (typeof result !== 'object' || result === null) return;
  const status = 'status' in result ? result.status : 'complete';
  if (status !== 'complete') throw new Error(`workflow ${workflowId} ended as ${String(status)}`);
}

/** Runs `count` of them, at most `inFlight` at once. */
export async function runMany(client: Client, subject: Subject, count: number, inFlight: number): Promise<Run[]> {
  const runs: Run[] = [];
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < count) {
      started += 1;
      runs.push(await runOne(client, subject));
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
  return runs;
}
