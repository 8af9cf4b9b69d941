import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorkspaces, type Workspaces } from '../../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import type { RunningWorker } from '../../../src/compose/worker.ts';
import { ANSWERS, type FakeModel, startFakeModel } from '../../fakes/model.ts';
import { rowsOf, startBuild } from '../fixtures/builds.ts';
import { startTestStack, type TestStack } from '../fixtures/stack.ts';
import { startTestWorker } from '../fixtures/worker.ts';

let test: TestStack;
let model: FakeModel;
let worker: RunningWorker;
let machines = '';
let origin = '';

/** Every single call comes from a machine that has no repository of any build: all it has is the artifact store. */
function everElsewhere(): Workspaces {
  const store = createFolderStore(test.config.artifactsDir);
  let machine = 0;
  return new Proxy(createWorkspaces({ rootDir: join(machines, '0'), store }), {
    get: (_, name: keyof Workspaces) => {
      machine += 1;
      return createWorkspaces({ rootDir: join(machines, `${machine}`), store })[name];
    },
  });
}

beforeAll(async () => {
  [test, model] = await Promise.all([startTestStack(), startFakeModel()]);
  machines = join(test.config.dataDir, 'machines');
  await mkdir(machines);
  // Beside the product's own folder, from which nothing is taken.
  origin = await mkdtemp(join(tmpdir(), 'origin-'));
  worker = await startTestWorker(test, model, { workspaces: everElsewhere() });
});
afterAll(async () => {
  await worker?.close();
  await model?.stop();
  await test?.stop();
  await rm(origin, { recursive: true, force: true });
});

const tested = {
  path: 'test/twice.test.js',
  content:
    "import test from 'node:test';\nimport assert from 'node:assert';\nimport { double } from '../src/double.js';\ntest('doubles twice', () => assert.equal(double(double(2)), 8));\n",
};

/** Testing and deployment add files, so that every phase from implementation on makes a commit of its own. */
function addFiles(): void {
  model.answer('testing', { ...ANSWERS.testing, files: [tested] });
  model.answer('deployment', { ...ANSWERS.deployment, files: [{ path: 'deploy/run.txt', content: 'node\n' }] });
}

async function committed(handle: Awaited<ReturnType<typeof startBuild>>): Promise<unknown[]> {
  const rows = await rowsOf(handle);
  return rows.flatMap(({ data }) => (typeof data.commit === 'string' ? [data.bundle] : []));
}

describe('a build whose every step is taken by another machine', () => {
  it('is released, and the audit has the bundle of each commit', async () => {
    addFiles();
    const handle = await startBuild(test);
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    const bundles = await committed(handle);
    expect(bundles.length).toBeGreaterThanOrEqual(3);
    for (const bundle of bundles) expect(bundle).toMatch(/^[0-9a-f]{64}$/);
    expect((await readdir(machines)).length).toBeGreaterThan(5);
  });

  it('is released also when it begins with existing code', async () => {
    execFileSync('git', ['init', '--quiet', origin]);
    await writeFile(join(origin, 'README.md'), 'theirs\n');
    execFileSync('git', ['-C', origin, 'add', '--all']);
    execFileSync('git', [
      '-C',
      origin,
      '-c',
      'user.name=A',
      '-c',
      'user.email=a@b',
      'commit',
      '--quiet',
      '-m',
      'theirs',
    ]);
    addFiles();
    const handle = await startBuild(test, { source: { kind: 'path', path: origin, ref: null } });
    expect(await handle.result()).toMatchObject({ status: 'complete' });
    const opened = (await rowsOf(handle)).find(({ type }) => type === 'source_opened');
    expect(opened?.data.bundle).toMatch(/^[0-9a-f]{64}$/);
  });
});
