import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import type { Phase } from '../../../src/machine/states.ts';
import { ANSWERS, type FakeModel, startFakeModel } from '../../fakes/model.ts';
import { claim, rowsOf, startBuild, statusOf, until, untilState, update } from '../fixtures/builds.ts';
import { type SlowReleases, standingReleases, startSlowWorker } from '../fixtures/releases.ts';
import { startTestStack, type TestStack } from '../fixtures/stack.ts';

let test: TestStack;
let model: FakeModel;
let releases: SlowReleases;

beforeAll(async () => {
  test = await startTestStack();
  model = await startFakeModel();
  releases = await startSlowWorker(test, model);
});
afterAll(async () => {
  await releases?.worker.close();
  await model?.stop();
  await test?.stop();
});
beforeEach(() => releases.hold());
afterEach(() => releases.report());

const standing = (handle: WorkflowHandle) => standingReleases(test, 'project', `build-${handle.workflowId}`);

/** A test that fails leaves the next one a model that answers. */
function hold(phase: Phase): () => void {
  const letGo = model.hold(phase);
  onTestFinished(letGo);
  return letGo;
}

const untilTakenBack = (handle: WorkflowHandle, count = 1) =>
  until('a release taken back', async () => {
    const undone = (await rowsOf(handle)).filter(({ type }) => type === 'release_undone');
    return undone.length >= count ? undone : null;
  });

describe('a release that is made while the build leaves deployment', () => {
  it('is taken back by a rollback, and the build releases anew', async () => {
    const handle = await startBuild(test);
    await releases.made(handle.workflowId);
    const again = hold('planning');
    await update(handle, 'rollback', { target_state: 'planning', reason: 'wrong approach', actor: 'ann' });
    const [undone] = await untilTakenBack(handle);
    expect(undone?.data).toMatchObject({ attempt: 1, version: '1.0.0' });
    expect(await standing(handle)).toEqual([]);
    again();
    releases.report();
    expect(await handle.result()).toMatchObject({ status: 'complete', attempts: { deployment: 2 } });
    expect(await standing(handle)).toMatchObject([{ attempt: 2 }]);
    expect((await rowsOf(handle)).filter(({ type }) => type === 'release_undone')).toHaveLength(1);
  });

  it('is taken back by a retry before verification begins again', async () => {
    const handle = await startBuild(test);
    await releases.made(handle.workflowId);
    const again = hold('verification');
    await update(handle, 'retry', { reason: 'look again', actor: 'ann' });
    const verified = () =>
      model.calls.filter(({ phase, build }) => phase === 'verification' && build.includes(handle.workflowId)).length;
    await until('verification again', async () => verified() === 2);
    expect(await standing(handle)).toEqual([]);
    await untilTakenBack(handle);
    again();
    releases.report();
    await handle.result();
    expect(await standing(handle)).toMatchObject([{ attempt: 2 }]);
  });

  it.each([
    ['an abort', (handle: WorkflowHandle) => update(handle, 'abort', { reason: 'not needed', actor: 'ann' })],
    ['a Cancel from Temporal', (handle: WorkflowHandle) => handle.cancel()],
  ])('is taken back by %s before the run closes', async (_, end) => {
    const handle = await startBuild(test);
    await releases.made(handle.workflowId);
    await end(handle);
    await handle.result().catch(() => null);
    expect(await standing(handle)).toEqual([]);
    const types = (await rowsOf(handle)).map(({ type }) => type);
    expect(types.slice(-2)).toEqual(['aborted', 'release_undone']);
    expect(await statusOf(handle)).toMatchObject({ status: 'cancelled', current_state: 'deployment' });
  });

  it('is taken back where a person releases by hand instead', async () => {
    const handle = await startBuild(test);
    await releases.made(handle.workflowId);
    await claim(handle, 'deployment');
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    expect(await standing(handle)).toEqual([]);
    expect((await rowsOf(handle)).map(({ type }) => type).slice(-2)).toEqual(['completed', 'release_undone']);
  });
});

describe('a release that cannot be taken back', () => {
  it('parks the build with the reason, and a retry tries again', async () => {
    // A code that no other try can mend, so that nobody has to wait for the last one.
    releases.failUndo(new AppError('invalid_phase_result', 'the registry is away'));
    onTestFinished(() => releases.failUndo(null));
    const handle = await startBuild(test);
    await releases.made(handle.workflowId);
    const again = hold('planning');
    await update(handle, 'rollback', { target_state: 'planning', reason: 'wrong approach', actor: 'ann' });
    const parked = await untilState(handle, 'error');
    expect(parked.next_expectations.task).toContain('the registry is away');
    expect(await standing(handle)).toHaveLength(1);
    releases.failUndo(null);
    await update(handle, 'retry', { reason: 'the registry is back', actor: 'ann' });
    await untilTakenBack(handle);
    again();
    releases.report();
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    expect(await standing(handle)).toMatchObject([{ attempt: 2 }]);
  });
});

describe('a release that the role calls failed', () => {
  it('parks the build and leaves none', async () => {
    model.answer('deployment', { ...ANSWERS.deployment, deployment_successful: false, notes: 'the registry refused' });
    const handle = await startBuild(test);
    await untilState(handle, 'error');
    expect(await standing(handle)).toEqual([]);
    model.answer('deployment', ANSWERS.deployment);
    releases.report();
    await update(handle, 'retry', { reason: 'again', actor: 'ann' });
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    expect((await rowsOf(handle)).map(({ type }) => type)).not.toContain('release_undone');
  });
});
