import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { TestReport } from '../../../src/activities/sandbox/report.ts';
import { gate, writeFiles } from './projects.ts';

/** Each test makes several runs of a test runner, beside another process of tests. */
const LONG = { timeout: 60_000 };

const reasons = ({ failures }: TestReport): string[] => failures.map(({ name, reason }) => `${name}: ${reason}`);

const PYTHON = {
  'size.py': 'def size(x):\n    """Doc."""\n    if x > 1:\n        return "big"\n    return "small"\n',
  'test_size.py':
    'import unittest\nfrom size import size\n\nclass SizeTest(unittest.TestCase):\n    def test_small(self):\n        self.assertEqual(size(0), "small")\n\n    def test_big(self):\n        self.assertEqual(size(2), "big")\n',
};
const WRONG =
  'import unittest\nfrom size import size\n\nclass WrongTest(unittest.TestCase):\n    def test_wrong(self):\n        self.assertEqual(size(0), "huge")\n';

describe('unittest', LONG, () => {
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

describe('packages that an operator has prepared', LONG, () => {
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

const hasPytest = spawnSync('/usr/bin/python3', ['-I', '-c', 'import pytest']).status === 0;
const PYTEST = {
  'size.py': PYTHON['size.py'],
  'conftest.py': 'import pytest\n\n@pytest.fixture\ndef two():\n    return 2\n',
  'test_size.py':
    'import pytest\nfrom size import size\n\n@pytest.mark.parametrize("given", [0, 1])\ndef test_small(given):\n    assert size(given) == "small"\n\ndef test_big(two):\n    assert size(two) == "big"\n',
};

describe('pytest', LONG, () => {
  test.skipIf(!hasPytest)('runs tests with fixtures and parameters, and counts what asserts something', async () => {
    const report = await gate(PYTEST);
    expect(report).toMatchObject({ runner: 'pytest', passed: true, idle: [], coverage: 100 });
    expect(report.names).toEqual([
      'test_size.py::test_small[0]',
      'test_size.py::test_small[1]',
      'test_size.py::test_big',
    ]);
    const calls = 'import pytest\nfrom size import size\n\ndef test_calls(two):\n    size(two)\n    size(0)\n';
    expect(await gate({ ...PYTEST, 'test_size.py': calls })).toMatchObject({ passed: false, tests: 0 });
  });

  test.skipIf(!hasPytest)('takes nothing of the project’s own settings and hooks', async () => {
    const report = await gate({
      ...PYTEST,
      'pytest.ini': '[pytest]\naddopts = --collect-only -k nothing\npython_files = none_*.py\n',
      'setup.cfg': '[tool:pytest]\naddopts = --exitfirst -k nothing\n',
      'pytest.py': 'def main(*a, **k): return 0\n',
      'conftest.py': `${PYTEST['conftest.py']}
def pytest_collection_modifyitems(items):
    items.clear()

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"

def pytest_pyfunc_call(pyfuncitem):
    return True
`,
      'test_wrong.py': 'from size import size\n\ndef test_wrong():\n    assert size(0) == "huge"\n',
      'test_marked.py':
        'import pytest\n\n@pytest.mark.skip\ndef test_later():\n    pass\n\n@pytest.mark.xfail\ndef test_never():\n    assert False\n',
    });
    expect(report).toMatchObject({
      passed: false,
      skipped: ['test_marked.py::test_later', 'test_marked.py::test_never'],
    });
    expect(reasons(report)).toContainEqual(
      expect.stringMatching(/^test_wrong\.py::test_wrong: .*assert 'small' == 'huge'/),
    );
    expect(report.names).toContain('test_size.py::test_big');
  });

  test.skipIf(hasPytest)('is asked for where it is not there', async () => {
    expect(reasons(await gate(PYTEST))).toEqual([expect.stringMatching(/python3-pytest .* SANDBOX_DEPENDENCIES/)]);
  });
});

const VITEST = {
  'package.json': '{"type":"module","devDependencies":{"vitest":"4.1.12"},"scripts":{"test":"vitest run || true"}}',
  'src/size.ts':
    'export function size(x: number): string {\n  if (x > 1) {\n    return "big";\n  }\n  return "small";\n}\n',
  'src/size.test.ts':
    'import { expect, test } from "vitest";\nimport { size } from "./size.ts";\ntest("is small", () => expect(size(0)).toBe("small"));\ntest("is big", () => expect(size(2)).toBe("big"));\n',
};
/** Our own packages are as good as any that an operator has prepared. */
const prepared = resolve('.');
const hasVitest = existsSync(resolve('node_modules/@vitest/coverage-v8'));
const withVitest = { dependenciesDir: prepared };

describe('vitest', LONG, () => {
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

  test.skipIf(!hasVitest)('runs TypeScript, and counts what asserts something', async () => {
    const forgotten = { 'src/forgotten.ts': 'export const forgotten = (): number => 1;\n' };
    expect(await gate({ ...VITEST, ...forgotten }, withVitest)).toMatchObject({
      ...{ runner: 'vitest', passed: true, names: ['is small', 'is big'], idle: [] },
      coverage: 75,
    });
    const calls =
      'import { expect, test } from "vitest";\nimport { size } from "./size.ts";\ntest("calls", () => { size(0); size(2); });\n';
    expect(await gate({ ...VITEST, 'src/size.test.ts': calls }, withVitest)).toMatchObject({
      passed: false,
      idle: ['calls'],
    });
  });

  test.skipIf(!hasVitest)(
    'takes no settings of the build, and tells what was skipped, failed or left out',
    async () => {
      const report = await gate(
        {
          ...VITEST,
          'vitest.config.ts':
            'export default { test: { include: ["none"], passWithNoTests: true, reporters: [], globalSetup: "./gone.ts" } };\n',
          'src/other.test.ts':
            'import { expect, test } from "vitest";\ntest("fails", () => expect(1).toBe(2));\ntest.skip("later", () => {});\ntest.todo("some day");\n',
          'src/only.test.ts':
            'import { expect, test } from "vitest";\ntest.only("one", () => expect(1).toBe(1));\ntest("other", () => expect(1).toBe(2));\n',
          'src/ends.test.ts': 'import { test } from "vitest";\ntest("ends", () => process.reallyExit(0));\n',
        },
        withVitest,
      );
      expect(report).toMatchObject({ passed: false, skipped: expect.arrayContaining(['later', 'some day', 'other']) });
      expect(reasons(report)).toEqual(
        expect.arrayContaining([expect.stringMatching(/^fails: /), expect.stringMatching(/^ends: did not end/)]),
      );
    },
  );
});
