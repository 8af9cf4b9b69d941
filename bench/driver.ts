import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { buildSpec, type StartRequest } from '../src/api/start-spec.ts';
import { createTemporalBuilds, WORKFLOW_TASK_TIMEOUT_MS } from '../src/api/temporal-builds.ts';
import type { ArtifactStore } from '../src/artifacts/artifact-store.ts';
import { readConfig } from '../src/config.ts';
import { within } from '../src/within.ts';

const RESULT_DEADLINE_MS = 180_000;
const NOTHING_LARGE: Pick<ArtifactStore, 'put'> = {
  put: async () => {
    throw new Error('requirements of the bench are small enough to travel whole');
  },
};

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
      await client.workflow.start(type, { taskQueue, workflowId, workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS });
      return workflowId;
    },
  };
}

/** Builds, started as the API starts them. */
export function buildSubject(client: Client, taskQueue: string, requirements = 'an answer'): Subject {
  const builds = createTemporalBuilds({ client, taskQueue, apiUrl: () => 'http://127.0.0.1' });
  const { models, activeTimeoutMs, maxSendBacks, coverageMin, sources } = readConfig({});
  const settings = { models, activeTimeoutMs, maxSendBacks, coverageMin, sources };
  return {
    name: 'build',
    start: async () => {
      const request: StartRequest = {
        projectId: 'bench',
        buildId: randomUUID(),
        userId: 'bench',
        requirements,
        metadata: null,
        model: null,
        externalRoles: [],
        coverageMin: null,
        source: null,
      };
      const spec = await buildSpec(request, settings, NOTHING_LARGE, true);
      await builds.start(spec);
      return spec.workflowId;
    },
  };
}

/** Runs one to its end. @throws when it does not complete */
export async function runOne(client: Client, subject: Subject): Promise<Run> {
  const startedAtMs = performance.now();
  const workflowId = await subject.start();
  const result: unknown = await within(client.workflow.getHandle(workflowId).result(), RESULT_DEADLINE_MS).catch(
    (error: unknown) => {
      throw new Error(`${subject.name} ${workflowId} did not complete`, { cause: error });
    },
  );
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
