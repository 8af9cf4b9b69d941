import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PhaseOutput, UndoReleaseOutput } from '../../../src/activities/contract.ts';
import type { ActivityDeps } from '../../../src/activities/deps.ts';
import { phase } from '../../../src/activities/phase/phase.ts';
import { createReleases } from '../../../src/activities/release/release.ts';
import { undoRelease } from '../../../src/activities/undo-release.ts';
import type { ReleaseManifest } from '../../../src/artifacts/release-manifest.ts';
import type { Build } from '../../../src/machine/build.ts';
import { extractResult, manifestOf } from '../../../src/machine/payloads.ts';
import { snapshotOf } from '../../../src/machine/snapshot.ts';
import { PHASES } from '../../../src/machine/states.ts';
import { statusView } from '../../../src/machine/status-view.ts';
import { ANSWERS, type FakeModel, startFakeModel } from '../../fakes/model.ts';
import { apply, buildIn } from '../../machine/sample-builds.ts';
import { depsOf, inputOf, PASSED_RUN, workOn } from './phase-worker.ts';

let dir: string;
let model: FakeModel;
let deps: ActivityDeps;
/** A build in deployment whose files the model wrote. */
let build: Build;

const settings = () => ({
  dir,
  providers: { simulated: { baseUrl: model.baseUrl } },
  measured: () => PASSED_RUN,
});

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'deployment-'));
  model = await startFakeModel();
  const made = depsOf(settings());
  const { store, workspaces, log } = made;
  const target = { kind: 'folder' } as const;
  const releases = createReleases({ store, workspaces, releasesDir: join(dir, 'releases'), target, log });
  deps = { ...made, releases };
  let now = buildIn('discovery');
  for (const _ of PHASES.slice(0, 5)) now = await workOn(now, settings());
  build = now;
});
afterEach(async () => {
  await model.stop();
  await rm(dir, { recursive: true, force: true });
});

const deploy = () =>
  new MockActivityEnvironment().run<[], PhaseOutput, () => Promise<PhaseOutput>>(() => phase(deps, inputOf(build)));
const undo = (attempts: readonly number[]) => {
  const work = () => undoRelease(deps, { ...inputOf(build), attempts });
  return new MockActivityEnvironment().run<[], UndoReleaseOutput, typeof work>(work);
};
const isThere = (path: unknown): Promise<boolean> =>
  access(String(path)).then(
    () => true,
    () => false,
  );
async function manifestIn(output: PhaseOutput): Promise<ReleaseManifest> {
  const address = manifestOf(output.result.data);
  return JSON.parse((await deps.store.get(String(address))).toString());
}

describe('deployment', () => {
  it('releases the tree as it stands, and the manifest tells how it came to be', async () => {
    const output = await deploy();
    expect(output.result.data).toMatchObject({ version: '1.0.0', release_tag: 'release/1.0.0-a1' });
    const manifest = await manifestIn(output);
    const { implementation } = build.results;
    expect(manifest).toMatchObject({
      workflow_id: build.spec.workflowId,
      commit: build.head?.commit,
      tree: build.head?.tree,
      coverage: 100,
      tests: { measured: true, passed: true },
      notes: 'first',
    });
    expect(manifest.phases.find((one) => one.phase === 'implementation')).toEqual({
      phase: 'implementation',
      attempt: 1,
      role: 'code_writer',
      by: 'llm',
      commit: implementation?.commit?.commit,
      tree: implementation?.commit?.tree,
    });
    const writer = manifest.roles.find(({ role }) => role === 'code_writer');
    expect(writer?.tokens).toBeGreaterThan(0);
    expect(manifest.artifacts.map(({ kind }) => kind)).toContain('test_report');
    const path = String(output.result.data.release_path);
    expect(await readFile(join(path, 'files', 'src', 'double.js'), 'utf8')).toContain('n * 2');
  });

  it('gives the status its release once the build is complete, also of a result too large to travel', async () => {
    model.answer('deployment', { ...ANSWERS.deployment, notes: 'many words '.repeat(500) });
    const { result, work } = await deploy();
    expect(result.full).not.toBeNull();
    const done = apply(build, { type: 'complete_phase', result, work }).build;
    expect(statusView(snapshotOf(build), 0).release).toBeNull();
    expect(statusView(snapshotOf(done), 0).release).toEqual({
      version: '1.0.0',
      tag: 'release/1.0.0-a1',
      manifest_sha256: manifestOf(result.data),
    });
  });

  it('that the role calls failed releases nothing, and what the role says of a release is dropped', async () => {
    const release = { manifest: 'f'.repeat(64) };
    const claimed = { release, release_path: '/etc', release_tag: 'release/9' };
    model.answer('deployment', { ...ANSWERS.deployment, ...claimed, deployment_successful: false });
    const { data } = (await deploy()).result;
    expect([data.release, data.release_path, data.release_tag]).toEqual([undefined, undefined, undefined]);
    expect(await isThere(join(dir, 'releases'))).toBe(false);
  });

  it('is taken back by its attempt, and says so each time it is asked', async () => {
    const output = await deploy();
    const undone = [{ attempt: 1, version: '1.0.0', tag: 'release/1.0.0-a1' }];
    expect(await undo([1])).toMatchObject({ undone });
    expect(await isThere(output.result.data.release_path)).toBe(false);
    expect(await undo([1])).toMatchObject({ undone });
    await expect(deploy()).rejects.toThrow(/taken back/);
  });
});

describe('an extract', () => {
  it('keeps the address of the manifest and nothing else that stands beside it', () => {
    const manifest = 'a'.repeat(64);
    expect(extractResult({ release: { manifest, more: 'x'.repeat(9000) } })).toEqual({ release: { manifest } });
    expect(extractResult({ release: { manifest: '../../etc' } })).toEqual({});
  });
});
