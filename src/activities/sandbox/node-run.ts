import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Project } from './project.ts';
import type { Lines, Observed, TestFailure } from './report.ts';
import type { RunPlan } from './run-plan.ts';

type Line =
  | Readonly<{ kind: 'pass' | 'parent' }>
  | Readonly<{ kind: 'fail' | 'broken'; name: string; reason: string }>
  | Readonly<{ kind: 'coverage'; files: readonly (Lines & Readonly<{ path: string }>)[] }>;

const REPORTER = fileURLToPath(new URL('./node-reporter.mjs', import.meta.url));

/** Node's own test runner: neither the project's package.json nor its files decide what is run. */
export function planNodeRun(project: Project, dir: string, runDir: string): RunPlan {
  const reportFile = join(runDir, 'report.jsonl');
  return {
    runner: 'node',
    file: process.execPath,
    args: [
      '--test',
      '--experimental-test-coverage',
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${REPORTER}`,
      `--test-reporter-destination=${reportFile}`,
      ...project.node.tests.map((path) => `./${path}`),
    ],
    ownFolders: [REPORTER],
    observe: async () => observe(await readFile(reportFile, 'utf8').catch(() => ''), project, dir),
  };
}

async function observe(text: string, project: Project, dir: string): Promise<Observed> {
  let tests = 0;
  const failures: TestFailure[] = [];
  const loaded = new Map<string, Lines>();
  for (const line of parse(text)) {
    if (line.kind === 'coverage') {
      for (const file of line.files) loaded.set(relative(dir, file.path), file);
      continue;
    }
    if (line.kind !== 'broken') tests += 1;
    if (line.kind === 'fail' || line.kind === 'broken') failures.push({ name: line.name, reason: line.reason });
  }
  let total = 0;
  let covered = 0;
  for (const path of project.node.sources) {
    const lines = loaded.get(path) ?? { total: await countLines(join(dir, path)), covered: 0 };
    total += lines.total;
    covered += lines.covered;
  }
  return { tests, failures, lines: { total, covered } };
}

function parse(text: string): Line[] {
  // The last line is cut off when the run was ended.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Line);
}

async function countLines(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text === '' ? 0 : text.replace(/\n$/, '').split('\n').length;
}
