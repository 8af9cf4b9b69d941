import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TestReport } from '../../../src/activities/sandbox/report.ts';
import { type Files, type Gated, gate as gateOf, PYTHON, VITEST } from '../../activities/sandbox/projects.ts';
import { hasPytest } from '../fixtures/pytest.ts';
import { realSandbox } from '../fixtures/sandbox.ts';

const sandbox = await realSandbox();
const gate = (files: Files, options: Gated = {}): Promise<TestReport> => gateOf(files, { sandbox, ...options });

const reasons = ({ failures }: TestReport): string[] => failures.map(({ name, reason }) => `${name}: ${reason}`);

const PYTEST = {
  'size.py': PYTHON['size.py'],
  'conftest.py': 'import pytest\n\n@pytest.fixture\ndef two():\n    return 2\n',
  'test_size.py':
    'import pytest\nfrom size import size\n\n@pytest.mark.parametrize("given", [0, 1])\ndef test_small(given):\n    assert size(given) == "small"\n\ndef test_big(two):\n    assert size(two) == "big"\n',
};

describe('pytest', () => {
  test.skipIf(!hasPytest())('runs tests with fixtures and parameters, and counts what asserts something', async () => {
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

  test.skipIf(!hasPytest())('takes nothing of the project’s own settings and hooks', async () => {
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

  test.skipIf(hasPytest())('is asked for where it is not there', async () => {
    expect(reasons(await gate(PYTEST))).toEqual([expect.stringMatching(/python3-pytest .* SANDBOX_DEPENDENCIES/)]);
  });
});

/** Our own packages are as good as any that an operator has prepared. */
const withVitest = { dependenciesDir: resolve('.') };

describe('vitest', () => {
  test('runs TypeScript, and counts what asserts something', async () => {
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

  test('takes no settings of the build, and tells what was skipped, failed or left out', async () => {
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
  });
});
