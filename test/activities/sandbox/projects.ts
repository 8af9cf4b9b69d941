import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ChangedLines } from '../../../src/activities/sandbox/changed-coverage.ts';
import { createMeasure, type MeasureInput } from '../../../src/activities/sandbox/measure.ts';
import type { TestReport } from '../../../src/activities/sandbox/report.ts';
import { noSandbox, type Sandbox } from '../../../src/activities/sandbox/sandbox.ts';

/** Files of a project, by path. */
export type Files = Readonly<Record<string, string>>;

export async function writeFiles(dir: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
}

export type Gated = Readonly<{
  /** The source that the build began with; what differs from it is changed, each file as a whole. */
  base?: Files;
  required?: readonly string[];
  dependenciesDir?: string | null;
  sandbox?: Sandbox;
  timeoutMs?: number;
}>;

const FIRST_TO_LAST = [1, 100_000] as const;
/** More than any run needs, however busy the machine is. */
export const HOUR_MS = 3_600_000;

/** What the gate says of these files, as of a commit of a build. */
export async function gate(files: Files, options: Gated = {}): Promise<TestReport> {
  const { base, required = [], dependenciesDir = null, sandbox = noSandbox(true), timeoutMs = HOUR_MS } = options;
  const tmpDir = await mkdtemp(join(tmpdir(), 'gate-'));
  const changed: ChangedLines = new Map(
    Object.entries(files).flatMap(([path, text]) => (text === base?.[path] ? [] : [[path, [FIRST_TO_LAST]] as const])),
  );
  const workspaces: MeasureInput['workspaces'] = {
    exportTree: ({ commit, intoDir }) => writeFiles(intoDir, commit === 'base' ? (base ?? {}) : files),
    changedLines: async () => changed,
  };
  try {
    return await createMeasure(dependenciesDir)({
      workspaces,
      workflowId: 'build',
      at: { commit: 'head' },
      base: base === undefined ? null : { commit: 'base', tree: 'base-tree' },
      required,
      sandbox,
      tmpDir,
      timeoutMs,
      signal: new AbortController().signal,
    });
  } finally {
    await rm(tmpDir, { recursive: true, force: true });
  }
}

/** A function with two outcomes, and tests of both. */
export const PYTHON = {
  'size.py': 'def size(x):\n    """Doc."""\n    if x > 1:\n        return "big"\n    return "small"\n',
  'test_size.py':
    'import unittest\nfrom size import size\n\nclass SizeTest(unittest.TestCase):\n    def test_small(self):\n        self.assertEqual(size(0), "small")\n\n    def test_big(self):\n        self.assertEqual(size(2), "big")\n',
};

/** The same for vitest; its own command hides what fails. */
export const VITEST = {
  'package.json': '{"type":"module","devDependencies":{"vitest":"4.1.12"},"scripts":{"test":"vitest run || true"}}',
  'src/size.ts':
    'export function size(x: number): string {\n  if (x > 1) {\n    return "big";\n  }\n  return "small";\n}\n',
  'src/size.test.ts':
    'import { expect, test } from "vitest";\nimport { size } from "./size.ts";\ntest("is small", () => expect(size(0)).toBe("small"));\ntest("is big", () => expect(size(2)).toBe("big"));\n',
};
