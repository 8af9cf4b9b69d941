import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startSimulatedModel } from '../../src/stack/simulated-model/simulated-model.ts';
import { ANSWERS } from '../fakes/model.ts';
import { until } from './fixtures/builds.ts';
import { eventsOf } from './fixtures/outside-agent.ts';
import { type OwnRepository, ownRepository } from './fixtures/own-repository.ts';
import { startTestProduct, type TestProduct } from './fixtures/product.ts';
import { startTestWorker } from './fixtures/worker.ts';

type Json = Record<string, unknown>;

let product: TestProduct;
let own: OwnRepository;

beforeAll(async () => {
  product = await startTestProduct();
});
afterAll(() => product?.stop());
beforeEach(async () => {
  own = await ownRepository();
});
afterEach(() => own?.remove());

const CRITERION = 'isWarning tells a warning item from any other function';
/** An edit to a file of the library, and a new test in its folder of tests: nothing else is asked for. */
const FEATURE = {
  edits: [
    {
      path: 'index.js',
      search: 'const out = { createWarning, createDeprecation, spyWarning }\n',
      replace: [
        '/** Whether a function is a warning item, as the functions above create them. */',
        'function isWarning (value) {',
        "  return typeof value === 'function' && value[kWarningFn] !== undefined",
        '}',
        '',
        'const out = { createWarning, createDeprecation, spyWarning, isWarning }',
        '',
      ].join('\n'),
    },
  ],
  files: [
    {
      path: 'test/is-warning.test.js',
      content: [
        "'use strict'",
        '',
        "const { test } = require('node:test')",
        "const { createWarning, isWarning } = require('..')",
        '',
        "test('tells a warning item from any other function', t => {",
        "  t.assert.strictEqual(isWarning(createWarning({ name: 'A', code: 'B', message: 'c' })), true)",
        '  t.assert.strictEqual(isWarning(() => {}), false)',
        '})',
        '',
      ].join('\n'),
    },
  ],
  test_cases: [{ name: 'a warning item', input: 'createWarning(…)', expected_output: 'true' }],
  documentation: 'isWarning(value)',
  technical_notes: 'one function beside the others',
};
const TESTED = { all_tests_passed: true, test_coverage: 100, test_results: ['all'] };
const evidence = (file: string, line: number): Json => ({
  ...ANSWERS.verification,
  evidence: [{ number: 1, criterion: CRITERION, met: true, evidence: 'it looks for the mark', file, line }],
});
const NOT_THERE = evidence('src/is-warning.js', 1);
const THERE = evidence('test/is-warning.test.js', 6);

function playFeature(): void {
  const { model } = product;
  model.answer('discovery', { ...ANSWERS.discovery, success_criteria: [CRITERION] });
  model.answer('planning', { ...ANSWERS.planning, success_criteria: [CRITERION] });
  model.answer('implementation', FEATURE);
  model.answer('testing', TESTED);
  model.answer('verification', THERE);
  model.answer('deployment', ANSWERS.deployment);
}

const startOn = (more: Json = {}, ref?: string): Promise<string> => {
  const source = { path: own.path, ...(ref === undefined ? {} : { ref }) };
  return product.api.start({ requirements: 'isWarning(value) tells warning items', source, ...more });
};

async function git(workflowId: string, ...args: string[]): Promise<string> {
  const repository = join(product.test.config.dataDir, 'workspaces', `${workflowId}.git`);
  return (await promisify(execFile)('git', ['--git-dir', repository, ...args])).stdout;
}

const dataOf = async (workflowId: string, type: string): Promise<Json> => {
  const events = await eventsOf(product.api, workflowId);
  const event = events.find(({ event_type }) => event_type === type);
  if (!event) throw new Error(`no event ${type} among ${events.map(({ event_type }) => event_type).join(', ')}`);
  return event.event_data as Json;
};

async function download(workflowId: string, name: string): Promise<string> {
  const response = await fetch(`${product.api.url}/api/workflows/${workflowId}/artifacts/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
  return await response.text();
}

const callsOf = (phase: string) => product.model.calls.filter((call) => call.phase === phase);

describe("a build on a user's own repository", () => {
  it('adds a feature: the tests that were there still run, and the release holds only the change asked for', async () => {
    playFeature();
    const verdicts = [NOT_THERE];
    product.model.answer('verification', () => verdicts.pop() ?? THERE);
    const [commit, tree] = [await own.git('rev-parse', 'HEAD'), await own.git('rev-parse', 'HEAD^{tree}')];
    const workflowId = await startOn({}, 'main');
    await product.api.untilState(workflowId, 'complete');

    const opened = await dataOf(workflowId, 'source_opened');
    expect(opened).toMatchObject({ commit, tree });
    const manifest = JSON.parse(await download(workflowId, 'release.json')) as Json;
    expect(manifest).toMatchObject({ base_commit: commit });
    const changed = await git(workflowId, 'diff', '--name-only', commit, String(manifest.commit));
    expect(changed.trim().split('\n')).toEqual(['index.js', 'test/is-warning.test.js']);

    const patch = await download(workflowId, 'change.patch');
    expect(patch.match(/^diff --git .*$/gm)).toHaveLength(2);
    const report = JSON.parse(await download(workflowId, 'test-report.json')) as { names: string[]; coverage: number };
    expect(report).toMatchObject({ passed: true, coverage: 100, coverageOf: 'changed', failures: [] });
    expect(report.names).toEqual(
      expect.arrayContaining(['emit with interpolated string', 'tells a warning item from any other function']),
    );

    // The user's own repository is as it was, and takes the change.
    expect([await own.git('status', '--porcelain'), await own.git('rev-parse', 'HEAD')]).toEqual(['', commit]);
    const file = join(own.path, '.git', 'change.patch');
    await writeFile(file, patch);
    await own.git('apply', file);
    expect(await own.git('status', '--porcelain')).toBe('M index.js\n?? test/is-warning.test.js');
  });

  it('repairs evidence that names a file which does not exist, with no send-back', async () => {
    const asked = callsOf('verification');
    expect(asked).toHaveLength(2);
    expect(asked[1]?.messages.at(-1)).toContain('"src/is-warning.js" is no file of the build');
    expect(asked[0]?.prompt).toMatch(/## Diff\n```\ndiff --git a\/index\.js b\/index\.js\n[\s\S]*\+function isWarning/);
    const { workflows } = (await product.api.get('/api/workflows')).body as { workflows: { workflow_id: string }[] };
    const events = await eventsOf(product.api, String(workflows[0]?.workflow_id));
    const types = events.map(({ event_type }) => event_type);
    expect(types).toContain('completed');
    expect(types).not.toContain('sent_back');
  });

  it('shows the roles the code that is there from the first phase on', () => {
    for (const phase of ['discovery', 'planning', 'implementation']) {
      expect(callsOf(phase)[0]?.prompt).toContain('### index.js\n```');
    }
  });

  it('does not pass with a test of the user deleted', async () => {
    playFeature();
    const deleting = { ...FEATURE, deleted_files: ['test/emit-set.test.js'] };
    product.model.answer('implementation', deleting);
    const workflowId = await startOn();
    await until('the tests to be missed', async () => {
      const { status, body } = await product.api.get(`/api/workflows/${workflowId}/history?limit=500`);
      return status === 200 && (body.events as Json[]).some(({ event_type }) => event_type === 'sent_back');
    });
    const { reason } = await dataOf(workflowId, 'sent_back');
    expect(String(reason)).toMatch(/emit should set the emitted state: .*did not run now/);
    await product.api.post(`/api/workflows/${workflowId}/abort`, { reason: 'seen' });
  });

  it('comes back to the source, to the letter, with a rollback to discovery', async () => {
    playFeature();
    const tree = await own.git('rev-parse', 'HEAD^{tree}');
    const workflowId = await startOn({ external_roles: ['test_auditor'] });
    await product.api.untilState(workflowId, 'handoff_to_tester');
    const release = product.model.hold('discovery');
    const body = { target_state: 'discovery', reason: 'begin anew' };
    expect((await product.api.post(`/api/workflows/${workflowId}/rollback`, body)).status).toBe(200);
    expect(await dataOf(workflowId, 'rolled_back')).toMatchObject({ tree });
    release();
    await product.api.untilState(workflowId, 'handoff_to_tester');
    const last = callsOf('implementation').at(-1);
    expect(last?.prompt).toContain('const out = { createWarning, createDeprecation, spyWarning }\n');
    await product.api.post(`/api/workflows/${workflowId}/abort`, { reason: 'seen' });
  });

  it('parks where the ref is none, says so, and goes on with a retry once it is there', async () => {
    playFeature();
    const workflowId = await startOn({}, 'next');
    const parked = await product.api.untilState(workflowId, 'error');
    const { task } = parked.next_expectations as { task: string };
    expect(task).toMatch(/"next"/);
    expect(task).not.toContain(product.test.config.dataDir);
    await own.git('branch', 'next');
    const retried = await product.api.post(`/api/workflows/${workflowId}/request-retry`, { reason: 'it is there now' });
    expect(retried.body).toMatchObject({ new_state: 'discovery' });
    await product.api.untilState(workflowId, 'complete');
  });

  it('gets one module with tests from the simulated model, as CommonJS like its own, and nothing else', async () => {
    await product.stopWorker();
    const simulated = await startSimulatedModel({ firstAttemptMistake: false });
    const worker = await startTestWorker(product.test, simulated);
    onTestFinished(async () => {
      await worker.close();
      await simulated.stop();
    });
    const workflowId = await startOn({ requirements: 'a function that slugifies titles' });
    await product.api.untilState(workflowId, 'complete');
    const patch = await download(workflowId, 'change.patch');
    expect(patch.match(/(?<=^diff --git a\/).*(?= b\/)/gm)).toEqual(['slugify.js', 'test/slugify.test.js']);
    expect(patch).toContain('+module.exports = { slugify, uniqueSlug };');
    const manifest = JSON.parse(await download(workflowId, 'release.json')) as Json;
    expect(manifest).toMatchObject({ tests: { measured: true, passed: true }, coverage: 100 });
    expect(manifest.files).toEqual(expect.arrayContaining([expect.objectContaining({ path: 'index.js' })]));
  });
});
