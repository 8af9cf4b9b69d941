import { describe, expect, it } from 'vitest';
import { gate } from '../../activities/sandbox/projects.ts';
import { realSandbox } from '../fixtures/sandbox.ts';

const sandbox = await realSandbox();
const cannotRun = sandbox.kind === 'none';

const NODE = {
  'package.json': '{"type":"module"}',
  'src/size.js': "export const size = (x) => (x > 1 ? 'big' : 'small');\n",
  'test/size.test.js':
    "import { test } from 'node:test';\nimport assert from 'node:assert/strict';\nimport { size } from '../src/size.js';\ntest('is small', () => assert.equal(size(0), 'small'));\n",
};
const PYTHON = {
  'size.py': 'def size(x):\n    return "big" if x > 1 else "small"\n',
  'test_size.py': 'import size\n\ndef test_small():\n    assert size.size(0) == "small"\n',
};
describe.skipIf(cannotRun)('the gate in the sandbox', () => {
  it.each([
    [
      'node',
      NODE,
      { 'test/size.test.js': NODE['test/size.test.js'].replace("assert.equal(size(0), 'small')", 'size(0)') },
    ],
    ['python', PYTHON, { 'test_size.py': 'import size\n\ndef test_small():\n    size.size(0)\n' }],
  ])('tells tests for %s that assert something from those that do not', async (runner, files, calls) => {
    expect(await gate(files, { sandbox })).toMatchObject({
      runner,
      passed: true,
      tests: 1,
      coverage: 100,
      failures: [],
    });
    expect(await gate({ ...files, ...calls }, { sandbox })).toMatchObject({
      passed: false,
      tests: 0,
      coverage: 100,
    });
  });

  it('takes no report that a test has put in the place of ours', async () => {
    const forging =
      "import fs from 'node:fs';\nimport path from 'node:path';\nimport { test } from 'node:test';\nconst file = path.join(path.dirname(process.env.TMPDIR), 'report.jsonl');\ntest('forges', () => { fs.rmSync(file); fs.writeFileSync(file, JSON.stringify({ kind: 'pass', name: 'a' }) + '\\n'); });\n";
    const report = await gate({ ...NODE, 'test/forge.test.js': forging }, { sandbox });
    expect(report).toMatchObject({ passed: false, exitCode: 0 });
    expect(report.failures[0]?.reason).toMatch(/without a report of our own runner/);
  });

  it('lets no test read the memory of the process that has the key, as it could read any other', async () => {
    const reading = (process: string): string =>
      `import os\n\ndef test_reads():\n    open("/proc/%d/mem" % ${process}, "rb").close()\n`;
    const told = async (process: string) => {
      const report = await gate({ ...PYTHON, 'test_reading.py': reading(process) }, { sandbox });
      return report.failures.map(({ reason }) => reason);
    };
    expect(await told('os.getpid()')).toEqual([]);
    expect(await told('os.getppid()')).toEqual([expect.stringMatching(/^PermissionError/)]);
  });
});
