/**
 * Records the histories that test/workflows/replay.test.ts replays, on a real server with the fake model:
 *
 *   node --import tsx test/histories/record.ts [name …]
 *
 * A history is a promise to the builds that are under way when a new version is deployed: what was recorded must still
 * replay. So record a new one beside the old, or again only when builds of the old version need not go on.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import type { Json } from '../../src/machine/json.ts';
import { findTemporalBinary } from '../../src/stack/temporal-binary.ts';
import { ANSWERS, type FakeModel, startFakeModel } from '../fakes/model.ts';
import {
  ALL_EXTERNAL,
  CLAIMS,
  claim,
  sendJunk,
  startBuild,
  statusOf,
  until,
  untilState,
  update,
} from '../integration/fixtures/builds.ts';
import { startEagerStack } from '../integration/fixtures/eager-stack.ts';
import { startOwnStack } from '../integration/fixtures/own-stack.ts';
import { type SlowReleases, startSlowWorker } from '../integration/fixtures/releases.ts';
import type { TestStack } from '../integration/fixtures/stack.ts';
import { startTestWorker } from '../integration/fixtures/worker.ts';

type Scene = Readonly<{
  test: TestStack;
  model: FakeModel;
  temporal: (...args: string[]) => string;
  /** Where the worker is slow to tell of releases. */
  slow: SlowReleases | null;
}>;
type Story = (scene: Scene) => Promise<WorkflowHandle>;

const called = ({ model }: Scene, phase: string) =>
  until(`a call of ${phase}`, async () => model.calls.some((call) => call.phase === phase));
/** Waits for the server's own record of it: the build would be over before the activity has heard. */
const cancelled = (handle: WorkflowHandle) =>
  until('a cancelled activity', async () =>
    (await handle.fetchHistory()).events?.some((event) => event.activityTaskCanceledEventAttributes),
  );
const finish = async (handle: WorkflowHandle, from = 0): Promise<void> => {
  for (const phase of Object.keys(CLAIMS).slice(from)) await claim(handle, phase);
};

const sentBack: Story = async (scene) => {
  const { test, model } = scene;
  model.answer('verification', { ...ANSWERS.verification, approved_for_deployment: false, verification_report: 'no' });
  const handle = await startBuild(test);
  await called(scene, 'verification');
  model.answer('verification', ANSWERS.verification);
  return handle;
};

const parkedAndRetried: Story = async ({ test, model }) => {
  model.answer('planning', 'I would rather talk about the weather.');
  const handle = await startBuild(test);
  await untilState(handle, 'error');
  model.answer('planning', ANSWERS.planning);
  await update(handle, 'retry', { reason: 'the model is fine again', actor: 'ann' });
  return handle;
};

/** A repository of somebody's own, as a build begins with it: outside the folders of the product. */
async function repository(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'recorded-source-'));
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b.test', ...args]);
  await writeFile(join(folder, 'README.md'), 'Doubles numbers.\n');
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'first');
  return folder;
}

/** Makes a release, of which the workflow hears only after it has left deployment. */
const whileReleasing =
  (leave: (handle: WorkflowHandle) => Promise<unknown>): Story =>
  async ({ test, slow }) => {
    const handle = await startBuild(test);
    await slow?.made(handle.workflowId);
    await leave(handle);
    slow?.report();
    return handle;
  };

const STORIES: Readonly<Record<string, Story>> = {
  'clean-build': ({ test }) => startBuild(test),

  'send-back': sentBack,
  'continued-as-new': sentBack,
  // Since the index of states follows at leisure; what stands above was recorded before.
  'continued-at-leisure': sentBack,
  'parked-at-leisure': parkedAndRetried,

  'parked-and-retried': parkedAndRetried,

  'rolled-back': async (scene) => {
    const releases = [scene.model.hold('deployment')];
    const handle = await startBuild(scene.test);
    await called(scene, 'deployment');
    releases.push(scene.model.hold('implementation'));
    await update(handle, 'rollback', { target_state: 'planning', reason: 'wrong approach', actor: 'ann' });
    await cancelled(handle);
    for (const release of releases) release();
    return handle;
  },

  'pre-empted': async (scene) => {
    scene.model.hold('planning');
    const release = scene.model.hold('implementation');
    const handle = await startBuild(scene.test);
    await called(scene, 'planning');
    await claim(handle, 'planning');
    await cancelled(handle);
    release();
    return handle;
  },

  'late-answer': async (scene) => {
    const release = scene.model.hold('planning');
    const handle = await startBuild(scene.test);
    await called(scene, 'planning');
    await claim(handle, 'planning');
    // It arrives before the activity has heard that it is cancelled.
    release();
    return handle;
  },

  'began-with-a-source': async ({ test }) =>
    startBuild(test, { source: { kind: 'path', path: await repository(), ref: null } }),

  'files-from-outside': async ({ test }) => {
    const handle = await startBuild(test, { externalRoles: ['code_writer', 'test_auditor'], mayRunAnyFiles: true });
    await untilState(handle, 'handoff_to_coder');
    const { files } = ANSWERS.implementation;
    const phase_result = { files: files as Json };
    await update(handle, 'advance', { role: 'code_writer', completed_state: 'implementation', phase_result });
    await until('the open gate', () => claim(handle, 'testing').catch(() => null));
    return handle;
  },

  'release-undone-by-rollback': whileReleasing((handle) =>
    update(handle, 'rollback', { target_state: 'verification', reason: 'look again', actor: 'ann' }),
  ),

  'release-undone-by-abort': whileReleasing((handle) =>
    update(handle, 'abort', { reason: 'not needed', actor: 'ann' }),
  ),

  'external-six-calls': async ({ test }) => {
    const handle = await startBuild(test, { externalRoles: ALL_EXTERNAL });
    await finish(handle);
    return handle;
  },

  'measured-for-an-external-tester': async ({ test }) => {
    const handle = await startBuild(test, { externalRoles: ['test_auditor'] });
    await untilState(handle, 'handoff_to_tester');
    await update(handle, 'advance', { role: 'test_auditor', completed_state: 'handoff_to_tester', phase_result: {} });
    // Until the orchestrator has run the tests itself, the gate refuses everybody's word.
    await until('the open gate', () => claim(handle, 'testing').catch(() => null));
    return handle;
  },

  'junk-signals': async ({ test }) => {
    const handle = await startBuild(test, { externalRoles: ALL_EXTERNAL });
    await sendJunk(handle);
    await finish(handle);
    return handle;
  },

  'cancelled-in-temporal': async (scene) => {
    scene.model.hold('discovery');
    const handle = await startBuild(scene.test);
    await called(scene, 'discovery');
    await handle.cancel();
    return handle;
  },

  'reset-midway': async ({ test, temporal }) => {
    const handle = await startBuild(test, { externalRoles: ALL_EXTERNAL });
    await finish(handle);
    await handle.result();
    const { events } = await handle.fetchHistory();
    const accepted = (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)[2];
    const point = (events ?? []).findLast(
      (event) => event.workflowTaskCompletedEventAttributes && Number(event.eventId) < Number(accepted?.eventId),
    );
    const where = ['--workflow-id', handle.workflowId, '--event-id', String(point?.eventId)];
    temporal('workflow', 'reset', ...where, '--reapply-exclude', 'All', '--reason', 'recorded');
    await until('the new run', async () => (await statusOf(handle)).status === 'in_progress');
    await finish(handle, (await statusOf(handle)).completed_phases.length);
    // The handle of a start asks for the result of the run that it started.
    return test.client.workflow.getHandle(handle.workflowId);
  },
};

/** Names of the machine that recorded say nothing about the build. */
const withoutMachine = (key: string, value: unknown): unknown =>
  key === 'stackTrace' || key === 'identity' ? undefined : value;

/** The runs of a build that continued as new, oldest first; of a build that was reset the current one. */
async function runsOf({ test }: Scene, handle: WorkflowHandle): Promise<string[]> {
  const runs: string[] = [];
  const first = 'firstExecutionRunId' in handle ? String(handle.firstExecutionRunId) : (await handle.describe()).runId;
  for (let runId: string | null | undefined = first; runId; ) {
    runs.push(runId);
    const { events } = await test.client.workflow.getHandle(handle.workflowId, runId).fetchHistory();
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return runs;
}

async function record(name: string, story: Story, scene: Scene): Promise<void> {
  const handle = await story(scene);
  // A build that parks has no result: whoever records is told why.
  await until('the end', async () => {
    const { status, next_expectations } = await statusOf(handle);
    if (status === 'error') throw new Error(`${name} is parked: ${next_expectations.task}`);
    return status === 'in_progress' ? null : status;
  });
  await handle.result().catch(() => undefined);
  for (const [index, runId] of (await runsOf(scene, handle)).entries()) {
    const run = ['--workflow-id', handle.workflowId, '--run-id', runId];
    const shown = scene.temporal('workflow', 'show', ...run, '--output', 'json');
    const file = index === 0 ? name : `${name}-${index + 1}`;
    const path = fileURLToPath(new URL(`./${file}.json`, import.meta.url));
    await writeFile(path, `${JSON.stringify(JSON.parse(shown), withoutMachine, 1)}\n`);
    console.log(`${file}: ${JSON.parse(shown).events.length} events`);
  }
}

/** So few that the build with a send-back continues as new, once. */
const SUGGESTED_AT_EVENTS: Readonly<Record<string, number>> = {
  'continued-as-new': 40,
  'continued-at-leisure': 40,
};

const stock = await startOwnStack();
const quiet = { temporalCli: undefined, cacheDir: stock.config.cacheDir, log: () => undefined };
const binary = await findTemporalBinary(quiet);
const temporalAt =
  (address: string) =>
  (...args: string[]): string => {
    const options = { encoding: 'utf8', timeout: 30_000, maxBuffer: 64 * 1024 * 1024 } as const;
    const { status, stdout, stderr } = spawnSync(binary, [...args, '--address', address], options);
    if (status !== 0) throw new Error(`temporal ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
const wanted = process.argv.slice(2);
for (const [name, story] of Object.entries(STORIES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const limit = SUGGESTED_AT_EVENTS[name];
  const test = limit === undefined ? stock : await startEagerStack(stock, limit);
  const model = await startFakeModel();
  const slow = name.startsWith('release-undone') ? await startSlowWorker(test, model) : null;
  const worker = slow?.worker ?? (await startTestWorker(test, model));
  await record(name, story, { test, model, temporal: temporalAt(test.temporalAddress), slow });
  await worker.close();
  await model.stop();
  if (test !== stock) await test.stop();
}
await stock.stop();
