import type { WorkflowHandle } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PHASES } from '../../src/machine/states.ts';
import { type FakeModel, startFakeModel } from '../fakes/model.ts';
import { startBuild, until } from './fixtures/builds.ts';
import { type OwnStack, startOwnStack } from './fixtures/own-stack.ts';
import { startProcess, type TestProcess } from './fixtures/process.ts';
import { sandboxEnvironment } from './fixtures/sandbox.ts';

/** TASK_QUEUE_KIND_NORMAL of temporal.api.enums.v1: the queue of all workers, not of one. */
const NORMAL_QUEUE = 1;

let test: OwnStack;
let model: FakeModel;
let worker: TestProcess;

const startWorkerProcess = async (): Promise<TestProcess> => {
  const env = {
    ...(await sandboxEnvironment()),
    ...test.env,
    LOCAL_MODEL_BASE_URL: model.baseUrl,
    MODEL: 'local/model',
    LOG_LEVEL: 'warn',
  };
  const started = startProcess('src/worker.ts', env);
  await started.says('The worker is up');
  return started;
};

beforeAll(async () => {
  test = await startOwnStack();
  model = await startFakeModel();
  worker = await startWorkerProcess();
});
afterAll(async () => {
  await worker?.stop();
  await model?.stop();
  await test?.stop();
});

async function query(text: string, handle: WorkflowHandle): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(test.databaseUrl);
  await client.connect();
  const { rows } = await client.query(text, [handle.workflowId]);
  await client.end();
  return rows;
}

/** A clean build's audit: 18 events without gap or double, five handoffs, all six results, one attempt each. */
async function expectWhole(handle: WorkflowHandle): Promise<void> {
  expect(await handle.result()).toMatchObject({
    status: 'complete',
    attempts: Object.fromEntries(PHASES.map((p) => [p, 1])),
  });
  const events = await query('select seq from workflow_events where workflow_id = $1 order by seq', handle);
  expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 18 }, (_, index) => index + 1));
  const handoffs = await query('select seq from workflow_handoffs where workflow_id = $1', handle);
  expect(new Set(handoffs.map(({ seq }) => seq)).size).toBe(5);
  expect(handoffs).toHaveLength(5);
  const [row] = await query('select * from build_workflows where id = $1', handle);
  for (const phase of PHASES) expect(row?.[`${phase}_phase`]).not.toBeNull();
}

/** One build per phase, each with the model's call of that phase in flight. */
async function buildsInEveryPhase(): Promise<{ handles: WorkflowHandle[]; release: () => void }> {
  const builds = PHASES.map((phase) => ({ phase, buildId: `held-${phase}-${Math.random()}` }));
  const releases = builds.map(({ phase, buildId }) => model.hold(phase, buildId));
  const handles = await Promise.all(builds.map(({ buildId }) => startBuild(test, { buildId })));
  const inFlight = ({ phase, buildId }: (typeof builds)[number]): boolean =>
    model.calls.some((call) => call.phase === phase && call.build === buildId);
  await until('a call in flight in every phase', async () => builds.every(inFlight));
  return {
    handles,
    release: () => {
      for (const release of releases) release();
    },
  };
}

/** Where the server put the build's task after each phase that was tried again. */
async function queuesAfterRetries(handle: WorkflowHandle): Promise<unknown[]> {
  const events = (await handle.fetchHistory()).events ?? [];
  const retried = events
    .filter(({ activityTaskStartedEventAttributes: started }) => (started?.attempt ?? 1) > 1)
    .map(({ eventId }) => Number(eventId));
  return retried.map(
    (id) =>
      events.find(({ eventId, workflowTaskScheduledEventAttributes }) => {
        return Number(eventId) > id && workflowTaskScheduledEventAttributes;
      })?.workflowTaskScheduledEventAttributes?.taskQueue?.kind,
  );
}

describe('kill -9', () => {
  it('of the worker in each of the six phases loses nothing and doubles nothing', async () => {
    const { handles, release } = await buildsInEveryPhase();
    await worker.kill();
    release();
    worker = await startWorkerProcess();
    for (const handle of handles) await expectWhole(handle);
    // No task waits for the worker that is gone.
    for (const handle of handles) expect(await queuesAfterRetries(handle)).toEqual([NORMAL_QUEUE]);
  });

  it.each([
    ['the Temporal server mid-build: the builds go on when it is back', 'temporalPid'],
    ['Postgres mid-build: the builds go on without it, and the mirror catches up', 'postgresPid'],
  ] as const)('of %s', async (_, server) => {
    const { handles, release } = await buildsInEveryPhase();
    const pid = test.stack.embedded[server]();
    process.kill(pid ?? 0, 'SIGKILL');
    release();
    await until('a new server', async () => {
      const now = test.stack.embedded[server]();
      return now !== null && now !== pid;
    });
    for (const handle of handles) await expectWhole(handle);
  });
});
