import { spawnSync } from 'node:child_process';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningWorker } from '../../../src/compose/worker.ts';
import { findTemporalBinary } from '../../../src/stack/temporal-binary.ts';
import { type FakeModel, startFakeModel } from '../../fakes/model.ts';
import {
  ALL_EXTERNAL,
  CLAIMS,
  claim,
  rowsOf,
  sendJunk,
  startBuild,
  statusOf,
  until,
  untilState,
} from '../fixtures/builds.ts';
import { startTestStack, type TestStack } from '../fixtures/stack.ts';
import { startTestWorker } from '../fixtures/worker.ts';

let test: TestStack;
let model: FakeModel;
let worker: RunningWorker;
let binary: string;

beforeAll(async () => {
  test = await startTestStack();
  model = await startFakeModel();
  worker = await startTestWorker(test, model);
  binary = await findTemporalBinary({ temporalCli: undefined, cacheDir: test.config.cacheDir, log: () => undefined });
});
afterAll(async () => {
  await worker?.close();
  await model?.stop();
  await test?.stop();
});

function signalByHand(handle: WorkflowHandle, name: string, ...more: string[]): void {
  const server = ['--address', test.temporalAddress, '--namespace', test.config.temporal.namespace];
  const where = [...server, '--workflow-id', handle.workflowId, '--name', name];
  const { status, stderr } = spawnSync(binary, ['workflow', 'signal', ...where, ...more], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(status, stderr).toBe(0);
}

const rejected = async (handle: WorkflowHandle) =>
  (await rowsOf(handle)).filter(({ type }) => type === 'signal_rejected');

describe('a signal', () => {
  it('steers a build as an Update does', async () => {
    const handle = await startBuild(test, { externalRoles: ALL_EXTERNAL });
    const { role, phase_result } = CLAIMS.discovery ?? {};
    await handle.signal('advance', { role, completed_state: 'DISCOVERY', phase_result });
    await untilState(handle, 'planning');
    await handle.signal('retry', { reason: 'think again', actor: 'ann' });
    await untilState(handle, 'discovery');
    await handle.signal('abort', { reason: 'enough', actor: 'ann' });
    expect(await handle.result()).toMatchObject({ status: 'cancelled' });
    expect((await rowsOf(handle)).filter(({ data }) => data.actor === 'ann').map(({ type }) => type)).toEqual([
      'retry_requested',
      'aborted',
    ]);
  });

  it('that is malformed, untimely, unknown or undecodable is recorded and harms nothing', async () => {
    const handle = await startBuild(test, { externalRoles: ALL_EXTERNAL });
    await untilState(handle, 'discovery');
    await sendJunk(handle);
    signalByHand(handle, 'retry', '--input', '{"reason":"x"}', '--input-meta', 'encoding=json/protobuf');
    signalByHand(handle, 'retry', '--input', '{"reason":"x"}', '--input-meta', 'encoding=nonsense');
    const rows = await until('eight rejections', async () => {
      const found = await rejected(handle);
      return found.length === 8 ? found : null;
    });
    expect(rows.map(({ data }) => data.code)).toEqual([
      'invalid_body',
      'nothing_before',
      'invalid_body',
      'invalid_body',
      'invalid_body',
      'unknown_signal',
      'invalid_body',
      'invalid_body',
    ]);
    expect(await statusOf(handle)).toMatchObject({ current_state: 'discovery', attempt: 1 });
    for (const phase of Object.keys(CLAIMS)) await claim(handle, phase);
    expect(await handle.result()).toMatchObject({ status: 'complete' });
  });

  it('that is refused does not disturb the model at work', async () => {
    const release = model.hold('planning');
    const handle = await startBuild(test);
    await until('the call', async () => model.calls.some(({ phase }) => phase === 'planning'));
    await handle.signal('retry', { reason: 7 });
    await until('the rejection', async () => (await rejected(handle)).length === 1);
    release();
    expect(await handle.result()).toMatchObject({ status: 'complete', attempts: { planning: 1 } });
    expect(model.calls.filter(({ phase }) => phase === 'planning')).toHaveLength(1);
  });
});
