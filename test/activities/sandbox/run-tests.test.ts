import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { judgeRun } from '../../../src/activities/sandbox/gate.ts';
import { createMeasure } from '../../../src/activities/sandbox/measure.ts';
import type { TestReport } from '../../../src/activities/sandbox/report.ts';
import { runTests } from '../../../src/activities/sandbox/run-tests.ts';
import { noSandbox } from '../../../src/activities/sandbox/sandbox.ts';
import { createWorkspaces } from '../../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import { eventually } from '../../eventually.ts';
import { type Files, HOUR_MS, writeFiles } from './projects.ts';

const sandbox = noSandbox(false);

const signal = new AbortController().signal;
let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'project-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function run(files: Files, timeoutMs = HOUR_MS): Promise<Omit<TestReport, 'sandbox'>> {
  await writeFiles(dir, files);
  const found = await runTests({ dir, sandbox, timeoutMs, signal });
  return judgeRun({ run: found, idle: null, base: null, required: [], changed: null });
}

const head = "import { test } from 'node:test'; import assert from 'node:assert/strict';\n";
const source = "export function size(x) {\n  if (x > 1) {\n    return 'big';\n  }\n  return 'small';\n}\n";
const packageJson = '{"type":"module","scripts":{"test":"true"}}';
const small = `${head}import { size } from '../src/size.js';\ntest('is small', () => assert.equal(size(0), 'small'));\n`;

describe('a Node project', () => {
  test('passes with the share of lines its tests reach', async () => {
    const report = await run({ 'package.json': packageJson, 'src/size.js': source, 'test/size.test.js': small });
    expect(report).toMatchObject({ runner: 'node', passed: true, tests: 1, failures: [], exitCode: 0, coverage: 66.6 });
  });

  test('has 0 % for a source file that no test loads, and for lines excluded by a comment', async () => {
    const report = await run({
      'package.json': packageJson,
      'src/size.js': source,
      'src/forgotten.js': '// No code.\n\nexport const a = 1;\nexport const b = [\n  1,\n  2,\n  3,\n];\n',
      'src/only-words.js': '/* No code\n   at all. */\n',
      'test/size.test.js': small,
    });
    expect(report).toMatchObject({ passed: true, coverage: 33.3 });
    expect((await run({ 'src/size.js': `/* node:coverage disable */\n${source}` })).coverage).toBeLessThan(40);
  });

  test('names each failing test with its reason and no path of this machine', async () => {
    const report = await run({
      'package.json': packageJson,
      'src/size.js': source,
      'test/a.test.js': `${small}test('outer', async (t) => { await t.test('inner', () => { throw new Error('boom in ' + import.meta.url); }); });\n`,
      'test/broken.test.js': "import { gone } from '../src/gone.js';\n",
    });
    expect(report).toMatchObject({ passed: false, exitCode: 1, tests: 3 });
    expect(report.failures).toEqual([
      { name: expect.stringContaining('broken.test.js'), reason: expect.stringMatching(/Cannot find module/) },
      { name: 'outer > inner', reason: expect.stringMatching(/^boom in .*a\.test\.js$/) },
    ]);
    expect(JSON.stringify(report)).not.toContain(dir);
  });

  test.each([
    ['no test file', { 'index.js': 'export {};\n' }],
    ['a test file without tests', { 'a.test.js': 'export {};\n' }],
    ['only skipped tests', { 'a.test.js': `${head}test.skip('a', () => {}); test.todo('b');\n` }],
  ])('does not pass with %s', async (_name, files) => {
    const report = await run({ 'package.json': packageJson, ...files });
    expect(report).toMatchObject({
      passed: false,
      tests: 0,
      failures: expect.arrayContaining([expect.objectContaining({ reason: expect.stringMatching(/no test ran/) })]),
    });
  });

  test('is stopped with all it has started when it does not end', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const running = run(
      {
        'package.json': packageJson,
        'a.test.js': `${head}import { spawn } from 'node:child_process'; import { renameSync, writeFileSync } from 'node:fs';
const child = spawn('sleep', ['600']); writeFileSync('pid.new', String(child.pid)); renameSync('pid.new', 'pid');
test('waits', () => new Promise(() => {}));\n`,
      },
      HOUR_MS,
    );
    const pid = await eventually(async () => Number(await readFile(join(dir, 'pid'), 'utf8')));
    vi.advanceTimersByTime(HOUR_MS);
    vi.useRealTimers();
    const report = await running;
    expect(report).toMatchObject({ passed: false, exitCode: null });
    expect(report.failures).toEqual([expect.objectContaining({ reason: expect.stringMatching(/did not end/) })]);
    await eventually(async () => expect(await isAlive(pid)).toBe(false));
  });

  test('sees nothing of our environment', async () => {
    process.env.Q_TEST_SECRET = 'hunter2';
    try {
      const test = `${head}test('a', () => { console.log(JSON.stringify(process.env)); assert.equal(process.env.NODE_OPTIONS, undefined); });`;
      const report = await run({ 'package.json': packageJson, 'a.test.js': test });
      expect(report.passed).toBe(true);
      expect(report.output).not.toContain('hunter2');
    } finally {
      delete process.env.Q_TEST_SECRET;
    }
  });
});

async function isAlive(pid: number): Promise<boolean> {
  // A process that ended but has not been collected yet is no longer alive.
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
  return !/\) [XZ]/.test(state);
}

const python = 'def size(x):\n    """Doc."""\n    if x > 1:\n        return "big"\n    return "small"\n';
const unittests =
  'import unittest\nfrom size import size\n\nclass SizeTest(unittest.TestCase):\n    def test_small(self):\n        self.assertEqual(size(0), "small")\n';

describe('a Python project', () => {
  test('passes with the share of statements its tests reach, files not loaded at 0 %', async () => {
    const report = await run({ 'size.py': python, 'tests/test_size.py': unittests });
    expect(report).toMatchObject({ runner: 'python', passed: true, tests: 1, failures: [], exitCode: 0, coverage: 75 });
    expect((await run({ 'forgotten.py': 'a = 1\nb = (\n  2\n)\nc = 3\nd = 4\n' })).coverage).toBe(37.5);
  });

  test('names failing tests and files that cannot be imported', async () => {
    const report = await run({
      'size.py': python,
      'test_size.py': `${unittests}    def test_big(self):\n        self.assertEqual(size(0), "big")\n    @unittest.skip("later")\n    def test_later(self):\n        pass\n`,
      'test_broken.py': 'import gone\n',
      'test_plain.py': 'def test_plain():\n    assert True\n',
    });
    expect(report).toMatchObject({ passed: false, tests: 3, exitCode: 1 });
    expect(report.failures).toEqual([
      { name: 'test_broken.py', reason: "ModuleNotFoundError: No module named 'gone'" },
      { name: 'test_size.SizeTest.test_big', reason: expect.stringContaining("'small' != 'big'") },
      { name: 'test_size.SizeTest.test_later', reason: expect.stringMatching(/is skipped/) },
    ]);
  });

  test('does not pass when a test ends the process, or when the project brings its own unittest', async () => {
    const exiting = await run({
      'test_a.py': `import os\n${unittests.replace('from size import size', 'os._exit(0)')}`,
    });
    expect(exiting).toMatchObject({
      passed: false,
      failures: [{ reason: expect.stringMatching(/before it could report/) }],
    });
    const own = await run({
      'test_a.py': unittests.replace('"small"', '"wrong"'),
      'size.py': python,
      'unittest.py': 'class TestCase: pass\n',
    });
    expect(own).toMatchObject({ passed: false, tests: 1 });
  });
});

test('an aborted run rejects with the reason and leaves nothing behind', async () => {
  const reason = new Error('cancelled');
  await writeFile(join(dir, 'a.test.js'), `${head}test('waits', () => new Promise(() => {}));`);
  await expect(runTests({ dir, sandbox, timeoutMs: HOUR_MS, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const running = runTests({ dir, sandbox, timeoutMs: HOUR_MS, signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await expect(running).rejects.toBe(reason);
});

test('a commit is measured on a fresh copy that is gone afterwards', async () => {
  const workflowId = 'measured-build';
  const workspaces = createWorkspaces({
    rootDir: join(dir, 'repositories'),
    store: createFolderStore(join(dir, 'artifacts')),
  });
  const files = [
    { path: 'package.json', content: packageJson },
    { path: 'src/size.js', content: source },
    { path: 'test/size.test.js', content: small },
  ];
  const attempt = { phase: 'implementation', attempt: 1, epoch: 0, run: 1 };
  const commitInput = { workflowId, base: null, advanceTo: null, attempt, files, author: 'code_writer', message: 'm' };
  const { commit } = await workspaces.commitAttempt({ ...commitInput, trailers: {}, atMs: 0, signal });
  const tmpDir = join(dir, 'tmp');
  const where = { workspaces, workflowId, at: { commit }, base: null, required: [], sandbox, tmpDir };
  const report = await createMeasure(null)({ ...where, timeoutMs: HOUR_MS, signal });
  expect(report).toMatchObject({ passed: true, coverage: 66.6 });
  expect(await readdir(tmpDir)).toEqual([]);
});
