import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TestReport } from '../../../src/activities/sandbox/report.ts';
import { noSandbox, type Sandbox } from '../../../src/activities/sandbox/sandbox.ts';
import { type Files, type Gated, gate, writeFiles } from './projects.ts';

const head = "import { test } from 'node:test'; import assert from 'node:assert/strict';\n";
const SOURCE = "export function size(x) {\n  if (x > 1) {\n    return 'big';\n  }\n  return 'small';\n}\n";
const IMPORT = `${head}import { size } from '../src/size.js';\n`;
const SMALL = "test('is small', () => assert.equal(size(0), 'small'));\n";
const BIG = "test('is big', () => assert.equal(size(2), 'big'));\n";
const PROJECT: Files = {
  'package.json': '{"type":"module","scripts":{"test":"node --test || true"}}',
  'src/size.js': SOURCE,
  'test/size.test.js': IMPORT + SMALL + BIG,
};
const FAILING = { 'test/other.test.js': `${IMPORT}test('is wrong', () => assert.equal(size(0), 'huge'));\n` };

const gated = (files: Files, options?: Gated): Promise<TestReport> => gate({ ...PROJECT, ...files }, options);
const reasons = ({ failures }: TestReport): string[] => failures.map(({ name, reason }) => `${name}: ${reason}`);

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plain-run-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** Nothing else ends what is waited for without letting go of the process. */
const HANGS_AFTER_MS = 100_000;

/** The exit code of a plain run of the project's tests: what a build could hide behind without the gate. */
async function plainRun(files: Files, program = process.execPath, args = ['--test']): Promise<number | null> {
  await writeFiles(dir, { ...PROJECT, ...files });
  return spawnSync(program, args, { cwd: dir, env: { PATH: '/usr/bin:/bin' }, timeout: HANGS_AFTER_MS }).status;
}

test('tests that assert what the code gives pass, and are named', async () => {
  expect(await gated({})).toMatchObject({ passed: true, names: ['is small', 'is big'], idle: [], coverage: 100 });
});

describe('tests that assert nothing', () => {
  const calls = `${IMPORT}test('calls it', () => { size(0); size(2); });\ntest('is there', () => assert.ok(size));\n`;

  test('do not pass, although they reach every line', async () => {
    const report = await gated({ 'test/size.test.js': calls });
    expect(report).toMatchObject({
      passed: false,
      tests: 0,
      idle: ['calls it', 'is there'],
      coverage: 100,
      exitCode: 0,
    });
    expect(reasons(report)).toEqual([expect.stringMatching(/all 2 tests also pass when the functions .* do nothing/)]);
    expect(await plainRun({ 'test/size.test.js': calls })).toBe(0);
  });

  test('do not count beside one that does', async () => {
    const report = await gated({ 'test/size.test.js': calls + SMALL });
    expect(report).toMatchObject({ passed: true, names: ['is small'], idle: ['calls it', 'is there'] });
  });

  test('are not those that expect nothing, an error of a constructor, or a value', async () => {
    const report = await gated({
      'src/box.js':
        'export const LIMIT = 3;\nexport class Box {\n  constructor(n) { if (n < 0) throw new RangeError("n"); }\n  get(key) { return undefined; }\n}\n',
      'test/box.test.js': `${head}import { Box, LIMIT } from '../src/box.js';
test('an empty box has nothing', () => assert.equal(new Box(1).get('a'), undefined));
test('a box refuses less than nothing', () => assert.throws(() => new Box(-1), RangeError));
test('the limit is three', () => assert.equal(LIMIT, 3));\n`,
    });
    expect(report).toMatchObject({ passed: true, tests: 5, idle: [] });
  });

  test('are told in code without functions by its values', async () => {
    const table = { 'src/size.js': "export const SIZES = ['small', 'big'];\n" };
    const asserts = `${head}import { SIZES } from '../src/size.js';\ntest('two', () => assert.equal(SIZES.length, 2));\n`;
    const not = `${head}import '../src/size.js';\ntest('loads', () => undefined);\n`;
    expect(await gated({ ...table, 'test/size.test.js': asserts })).toMatchObject({ passed: true });
    expect(await gated({ ...table, 'test/size.test.js': not })).toMatchObject({ passed: false, idle: ['loads'] });
  });

  test('of the source that the build began with do no harm', async () => {
    const base = { ...PROJECT, 'test/old.test.js': `${head}test('is old', () => undefined);\n` };
    const more = { 'src/more.js': SOURCE };
    const added = { ...more, 'test/more.test.js': `${head}import { size } from '../src/more.js';\n${BIG}` };
    const names = expect.arrayContaining(['is small', 'is big', 'is old']);
    expect(await gate({ ...base, ...added }, { base })).toMatchObject({ passed: true, names, idle: [] });
    const nothing = {
      ...more,
      'test/more.test.js': `${head}import '../src/more.js';\ntest('loads', () => undefined);\n`,
    };
    expect(await gate({ ...base, ...nothing }, { base })).toMatchObject({ passed: false, idle: ['loads'] });
  });
});

describe('tests that are gone', () => {
  const without = { 'test/size.test.js': IMPORT + BIG };

  test('do not pass when they failed in the run that was sent back, and go on being owed', async () => {
    const report = await gated(without, { required: ['is small', 'is big'] });
    expect(report).toMatchObject({ passed: false, owed: ['is small'] });
    expect(reasons(report)).toEqual([expect.stringMatching(/^is small: failed in the run that was sent back/)]);
    expect(await gated(without)).toMatchObject({ passed: true });
    expect(await gated({}, { required: ['is small', 'is big'] })).toMatchObject({ passed: true, owed: [] });
  });

  test('do not pass when they passed in the source that the build began with', async () => {
    const report = await gated({ ...without, 'src/new.js': 'export {};\n' }, { base: PROJECT });
    expect(reasons(report)).toContainEqual(
      expect.stringMatching(/^is small: passed in the code that this build began/),
    );
    expect(await gated({ 'README.md': '# Size\n' }, { base: PROJECT })).toMatchObject({ passed: true });
  });
});

describe('skipped tests', () => {
  const marked = {
    'test/size.test.js': `${IMPORT}${SMALL}${BIG}test.skip('is odd', () => {});\ntest.todo('is even');\n`,
  };

  test('do not pass, by name', async () => {
    const report = await gated(marked);
    expect(report).toMatchObject({ passed: false, tests: 2, skipped: ['is odd', 'is even'] });
    expect(reasons(report)).toEqual([
      expect.stringMatching(/^is odd: is skipped/),
      expect.stringMatching(/^is even: is skipped/),
    ]);
    expect(await plainRun(marked)).toBe(0);
  });

  test('may stay where the source that the build began with skipped them', async () => {
    const base = { ...PROJECT, ...marked };
    expect(await gate({ ...base, 'README.md': '# Size\n' }, { base })).toMatchObject({ passed: true });
  });
});

describe('a run that hides what failed', () => {
  test('by the script of package.json does not pass', async () => {
    expect(reasons(await gated(FAILING))).toEqual([expect.stringMatching(/^is wrong: /)]);
    expect(await plainRun(FAILING, '/bin/sh', ['-c', `"${process.execPath}" --test || true`])).toBe(0);
  });

  test.each([
    ['process.exit', "test('ends', () => process.exit(0));"],
    ['process.reallyExit', "test('ends', () => process.reallyExit(0));"],
    [
      'its own end, later',
      "test('ends', async () => { await new Promise((r) => setTimeout(r, 200)); process.reallyExit(0); });",
    ],
  ])('by %s does not pass', async (_name, ending) => {
    const files = {
      'test/other.test.js': `${IMPORT}${SMALL}${ending}\ntest('is wrong', () => assert.fail('wrong'));\n`,
    };
    const report = await gated(files);
    expect(report.passed).toBe(false);
    expect(reasons(report)).toEqual([
      expect.stringMatching(/^test\/other\.test\.js: .* ended before its tests were done/),
    ]);
    expect(await plainRun(files)).toBe(0);
  });

  test('by files of its own that stand for the runner does not pass', async () => {
    const packages = {
      'node_modules/.bin/node': '#!/bin/sh\nexit 0\n',
      'node_modules/node:test/index.js': 'export const test = () => {};\n',
      'node_modules/vitest/package.json': '{"name":"vitest","main":"index.js"}',
      'node_modules/vitest/index.js': 'export const test = () => {};\n',
    };
    const files = {
      ...PROJECT,
      ...FAILING,
      ...packages,
      '.npmrc': 'node-options=--import=./quiet.js\nscript-shell=/bin/true\n',
      '.env': 'NODE_OPTIONS=--import=./quiet.js\n',
      'node.config.json': '{"nodeOptions":{"import":["./quiet.js"]},"testRunner":{"test-name-pattern":["none"]}}',
      'quiet.js': "import assert from 'node:assert/strict';\nassert.equal = () => undefined;\n",
      'package.json':
        '{"type":"module","imports":{"node:test":"./quiet.js","#a":"./quiet.js"},"scripts":{"test":"exit 0","pretest":"exit 0"}}',
    };
    expect(reasons(await gate(files))).toEqual([expect.stringMatching(/^node_modules\/.* may not write packages/)]);
    // Where they are the user's, they stand for nothing either.
    expect(reasons(await gate(files, { base: packages }))).toEqual([expect.stringMatching(/^is wrong: /)]);
  });
});

describe('a run that writes to its own report', () => {
  const UNSEALED = /without a report of our own runner/;
  const failure = "test('is wrong', () => assert.fail('wrong'));\n";
  const passLine = JSON.stringify({ kind: 'pass', name: 'forged' });
  // The report lies beside the folder for temporary files.
  const place =
    "import fs from 'node:fs'; import path from 'node:path';\nconst runDir = path.dirname(process.env.TMPDIR);\n";

  test('while it goes on, or after it, does not pass', async () => {
    const forging = `${IMPORT}${place}${SMALL}test('forges', () => {
  const file = path.join(runDir, 'report.jsonl');
  fs.rmSync(file);
  fs.writeFileSync(file, ${JSON.stringify(`${passLine}\n`)});
});\n`;
    expect(reasons(await gated({ 'test/size.test.js': forging }))).toEqual([expect.stringMatching(UNSEALED)]);
    const late = `${head}${place}import { spawn } from 'node:child_process';\n${failure}test('forges', () => {
  const script = "setInterval(() => require('fs').writeFileSync(" + JSON.stringify(path.join(runDir, 'report.jsonl')) + ", " +
    ${JSON.stringify(JSON.stringify(`${passLine}\n`))} + "), 5)";
  spawn(process.execPath, ['-e', script], { detached: true, stdio: 'ignore' }).unref();
});\n`;
    expect(await gated({ 'test/size.test.js': late })).toMatchObject({ passed: false });
  });

  test('finds no key with which a report is sealed', async () => {
    const looking = `${IMPORT}${place}${SMALL}test('looks', () => assert.deepEqual(fs.readdirSync(runDir).sort(), ['home', 'report.jsonl']));\n`;
    expect(await gated({ 'test/size.test.js': looking })).toMatchObject({ passed: true });
  });

  test('cannot open a debugger on the process that writes it', async () => {
    const debug = `${IMPORT}${SMALL}test('no debugger', async () => {
  process.kill(process.ppid, 'SIGUSR1');
  await new Promise((resolve) => setTimeout(resolve, 300));
  await assert.rejects(fetch('http://127.0.0.1:9229/json'));
});\n`;
    expect(await gated({ 'test/size.test.js': debug })).toMatchObject({ passed: true });
  });

  test('rewrites the tests of another file does not pass', async () => {
    const quiet = `${head}test('is wrong', () => undefined);\n`;
    const files = {
      'test/a.test.js': `${IMPORT}${SMALL}import fs from 'node:fs';\nfs.writeFileSync('test/other.test.js', ${JSON.stringify(quiet)});\n`,
      'test/other.test.js': `${head}await new Promise((r) => setTimeout(r, 100));\ntest('is wrong', () => assert.ok(true));\n`,
    };
    expect(reasons(await gated(files))).toContainEqual(expect.stringMatching(/the run changed source or test files/));
  });
});

describe('coverage', () => {
  test('is of the lines changed since the source that the build began with', async () => {
    const base = { ...PROJECT, 'src/old.js': 'export const old = () => 1;\nexport const older = () => 2;\n' };
    const forgotten = { 'src/forgotten.js': 'export const a = 1;\n' };
    expect(await gate({ ...base, ...forgotten }, { base })).toMatchObject({
      ...{ coverage: 0, coverageOf: 'changed' },
      uncovered: ['src/forgotten.js:1'],
    });
    expect(await gate(base, { base: PROJECT })).toMatchObject({ coverage: 0, coverageOf: 'changed' });
    expect(await gate({ ...base, 'README.md': '# Size\n' }, { base })).toMatchObject({
      passed: true,
      coverage: 100,
      coverageOf: 'nothing',
    });
  });

  test('is measured in the run alone from which it is taken', async () => {
    const measuring: boolean[] = [];
    const plain = noSandbox(true);
    const launch: Sandbox['launch'] = (request) => {
      measuring.push(request.args.includes('--experimental-test-coverage'));
      return plain.launch(request);
    };
    const change = { 'src/more.js': 'export const more = () => 1;\n' };
    await gated(change, { base: PROJECT, sandbox: { ...plain, launch } });
    // The source that the build began with, the change, and the change with functions that give nothing, then something.
    expect(measuring).toEqual([false, true, false, false]);
  });
});
