import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noSandbox, type Sandbox } from '../../../src/activities/sandbox/sandbox.ts';
import type { RunningWorker } from '../../../src/compose/worker.ts';
import { ANSWERS, type FakeModel, startFakeModel } from '../../fakes/model.ts';
import { MODELS_BY_ROLE } from '../../fakes/models-by-role.ts';
import { rowsOf, startBuild, until } from '../fixtures/builds.ts';
import { realSandbox } from '../fixtures/sandbox.ts';
import { startTestStack, type TestStack } from '../fixtures/stack.ts';
import { startTestWorker } from '../fixtures/worker.ts';

let test: TestStack;
let model: FakeModel;
let worker: RunningWorker;
/** Written by the file below when it is run, wherever that is. */
let trace: string;
let traces = 0;

beforeAll(async () => {
  test = await startTestStack();
});
afterAll(async () => {
  await test?.stop();
});
beforeEach(async () => {
  model = await startFakeModel();
  trace = join(test.config.dataDir, `trace-${traces++}`);
});
afterEach(async () => {
  await worker?.close();
  await model?.stop();
});

const leavesTrace = (path = 'test/trace.test.js') => ({
  path,
  content: `import { writeFileSync } from 'node:fs';\nimport test from 'node:test';\ntest('trace', () => writeFileSync(${JSON.stringify(trace)}, 'ran'));\n`,
});
const withTrace = () => {
  const { implementation } = ANSWERS;
  return { ...implementation, files: [...(implementation.files as object[]), leavesTrace()] };
};

/** Replaces the worker by one whose configuration names the other kind of provider; without a sandbox if none is given. */
async function work(by: 'simulated' | 'openai', sandbox: Sandbox = noSandbox(false)): Promise<void> {
  await worker?.close();
  const { baseUrl } = model;
  const providers = by === 'simulated' ? { simulated: { baseUrl } } : { openai: { apiKey: 'key', baseUrl } };
  worker = await startTestWorker(test, model, {
    sandbox,
    models: { byRole: MODELS_BY_ROLE, fallbacks: [], providers },
  });
}
const called = (phase: string) =>
  until(`a call of ${phase}`, async () => model.calls.some((call) => call.phase === phase));

/** Whether the orchestrator measured, for each testing that handed something on. */
async function measurements(handle: WorkflowHandle): Promise<unknown[]> {
  const rows = await rowsOf(handle);
  return rows.flatMap(({ handoff }) => (handoff?.fromState === 'testing' ? [handoff.data.measured] : []));
}

describe('files that a model wrote, where there is no sandbox', () => {
  it('are run when the simulated model wrote them all', async () => {
    model.answer('implementation', withTrace());
    await work('simulated');
    const handle = await startBuild(test);
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    expect(await measurements(handle)).toEqual([true]);
    expect(existsSync(trace)).toBe(true);
  });

  it('are not run when a real provider wrote them and a worker without one goes on with the build', async () => {
    model.answer('implementation', withTrace());
    model.answer('testing', { ...ANSWERS.testing, all_tests_passed: false, reason: 'again' });
    const release = model.hold('testing');
    await work('openai');
    const handle = await startBuild(test);
    await called('testing');
    // The correction is the simulated model's own, and harmless; what it corrects is still in the tree.
    model.answer('implementation', ANSWERS.implementation);
    await work('simulated');
    const goOn = model.hold('implementation');
    release();
    await until('the send-back', async () => model.calls.filter(({ phase }) => phase === 'implementation').length > 1);
    model.answer('testing', ANSWERS.testing);
    goOn();
    expect(await handle.result()).toMatchObject({ status: 'complete', attempts: { implementation: 2, testing: 2 } });
    expect(await measurements(handle)).toEqual([false, false]);
    expect(existsSync(trace)).toBe(false);
  });

  it('are not run when a real provider added them as tests: the run without them counts', async () => {
    model.answer('testing', { ...ANSWERS.testing, files: [leavesTrace()] });
    const release = model.hold('testing');
    await work('simulated');
    const handle = await startBuild(test);
    await called('testing');
    await work('openai');
    release();
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    expect(await measurements(handle)).toEqual([true]);
    expect(existsSync(trace)).toBe(false);
  });
});

const real = await realSandbox();

describe.skipIf(real.kind === 'none')('files that a real provider’s model wrote, in the sandbox', () => {
  it('are run and measured, and reach nothing outside of it', async () => {
    const holds = `import { existsSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
test('is held', () => {
  // Where it can be written, that is the sandbox's own memory.
  try { writeFileSync(${JSON.stringify(trace)}, 'ran'); } catch {}
  assert.equal(existsSync(${JSON.stringify(test.config.dataDir)} + '/artifacts'), false);
  assert.deepEqual(Object.keys(networkInterfaces()), ['lo']);
});
`;
    const { implementation } = ANSWERS;
    const files = [...(implementation.files as object[]), { path: 'test/held.test.js', content: holds }];
    model.answer('implementation', { ...implementation, files });
    await work('openai', real);
    const handle = await startBuild(test, { mayRunAnyFiles: true });
    expect(await handle.result()).toMatchObject({ status: 'complete', attempts: { implementation: 1, testing: 1 } });
    expect(await measurements(handle)).toEqual([true]);
    expect(existsSync(trace)).toBe(false);
  });
});
