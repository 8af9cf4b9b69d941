import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { TestReport } from '../../../src/activities/sandbox/report.ts';
import { gate, PYTHON, VITEST, writeFiles } from './projects.ts';

const reasons = ({ failures }: TestReport): string[] => failures.map(({ name, reason }) => `${name}: ${reason}`);

const WRONG =
  'import unittest\nfrom size import size\n\nclass WrongTest(unittest.TestCase):\n    def test_wrong(self):\n        self.assertEqual(size(0), "huge")\n';

describe('unittest', () => {
  test('passes with tests that assert something, and not with others', async () => {
    expect(await gate(PYTHON)).toMatchObject({ runner: 'python', passed: true, tests: 2, idle: [], coverage: 100 });
    const calls =
      'import size\n\ndef test_calls():\n    size.size(0)\n    assert callable(size.size)\n    size.size(2)\n';
    const idle = await gate({ ...PYTHON, 'test_size.py': calls });
    expect(idle).toMatchObject({ passed: false, tests: 0, idle: ['test_size.test_calls'], coverage: 100 });
  });

  test('does not count skipped tests and expected failures', async () => {
    const marked =
      '\n    @unittest.skip("later")\n    def test_later(self):\n        pass\n\n    @unittest.expectedFailure\n    def test_never(self):\n        self.fail()\n';
    const report = await gate({ ...PYTHON, 'test_size.py': PYTHON['test_size.py'] + marked });
    expect(report).toMatchObject({
      passed: false,
      tests: 2,
      skipped: ['test_size.SizeTest.test_later', 'test_size.SizeTest.test_never'],
    });
  });

  test.each([
    [
      'files named like ours and like modules of Python',
      {
        ...Object.fromEntries(
          ['unittest', 'sitecustomize', 'usercustomize', 'json', 'cases', 'sources', 'runner'].map((name) => [
            `${name}.py`,
            'class TestCase: pass\ndef main(): pass\n',
          ]),
        ),
        'setup.cfg': '[tool:pytest]\naddopts = --collect-only\n',
      },
    ],
    [
      'a test file that changes what others are told by',
      {
        'test_a.py':
          'import unittest\nunittest.TestCase.run = lambda self, result=None: result.startTest(self) or result.addSuccess(self)\n\nclass ATest(unittest.TestCase):\n    def test_a(self):\n        self.fail()\n',
      },
    ],
  ])('tells what failed beside %s', async (_name, files) => {
    expect(reasons(await gate({ ...PYTHON, ...files, 'test_wrong.py': WRONG }))).toContainEqual(
      expect.stringMatching(/^test_wrong\.WrongTest\.test_wrong: .*'small' != 'huge'/),
    );
  });

  test.each([
    ['ends its process', 'os._exit(0)', /ended before it could report/],
    [
      'ends it after a report of its own',
      'open(os.path.join(os.path.dirname(os.environ["TMPDIR"]), "report.jsonl"), "w").write("{}"); os._exit(0)',
      /ended before it could report/,
    ],
    [
      'takes the report’s place',
      'os.symlink("/dev/null", os.path.join(os.path.dirname(os.environ["TMPDIR"]), "report.jsonl"))',
      /without a report of our own runner/,
    ],
  ])('does not pass when a test %s', async (_name, code, reason) => {
    const ending = `import os\n\ndef test_ends():\n    ${code}\n`;
    const report = await gate({ ...PYTHON, 'test_ending.py': ending });
    expect(report.passed).toBe(false);
    expect(reasons(report)).toContainEqual(expect.stringMatching(reason));
  });
});

describe('packages that an operator has prepared', () => {
  const PACKAGES = {
    'node_modules/double/package.json': '{"name":"double","type":"module","exports":"./index.js"}',
    'node_modules/double/index.js': 'export const double = (n) => n * 2;\n',
    'python/double.py': 'def double(n):\n    return n * 2\n',
  };
  const NODE = {
    'package.json': '{"type":"module","dependencies":{"double":"1"}}',
    'src/four.js': "import { double } from 'double';\nexport const four = () => double(2);\n",
    'test/four.test.js':
      "import { test } from 'node:test';\nimport assert from 'node:assert/strict';\nimport { four } from '../src/four.js';\ntest('is four', () => assert.equal(four(), 4));\n",
  };
  const FOUR = {
    'four.py': 'from double import double\n\ndef four():\n    return double(2)\n',
    'test_four.py': 'from four import four\n\ndef test_four():\n    assert four() == 4\n',
  };

  test.each([
    ['Node', NODE],
    ['Python', FOUR],
  ])('are found by tests for %s, and are no code of the build', async (_language, files) => {
    const dependenciesDir = await mkdtemp(join(tmpdir(), 'prepared-'));
    onTestFinished(() => rm(dependenciesDir, { recursive: true, force: true }));
    await writeFiles(dependenciesDir, PACKAGES);
    expect(await gate(files)).toMatchObject({ passed: false });
    expect(await gate(files, { dependenciesDir })).toMatchObject({ passed: true, tests: 1, coverage: 100 });
  });
});

describe('vitest', () => {
  test('is asked for where no prepared one is there', async () => {
    const report = await gate(VITEST);
    expect(report).toMatchObject({ runner: 'vitest', passed: false, tests: 0 });
    expect(reasons(report)).toEqual([
      expect.stringMatching(/need vitest with @vitest\/coverage-v8.* SANDBOX_DEPENDENCIES/),
    ]);
  });

  test('is never one that the build wrote', async () => {
    const own = {
      'node_modules/vitest/package.json': '{"name":"vitest","type":"module"}',
      'node_modules/vitest/dist/node.js': 'export const startVitest = () => ({ close() {} });\n',
    };
    expect(reasons(await gate({ ...VITEST, ...own }))).toEqual([expect.stringMatching(/may not write packages/)]);
    expect(reasons(await gate({ ...VITEST, ...own }, { base: { 'README.md': '' } }))).toEqual([
      expect.stringMatching(/^node_modules\/vitest\/.*may not write packages/),
    ]);
  });
});
