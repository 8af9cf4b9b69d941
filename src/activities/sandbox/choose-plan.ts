import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NODE_TESTS, planNodeRun } from './node-run.ts';
import type { Project } from './project.ts';
import { planPythonRun } from './python-run.ts';
import type { Runner } from './report.ts';
import type { HollowFiles, RunPlan } from './run-plan.ts';
import { planVitestRun } from './vitest-run.ts';

export type PlanInput = Readonly<{
  project: Project;
  dir: string;
  runDir: string;
  hollow: HollowFiles | null;
  /** Whether the lines that the tests reach are wanted. */
  measuresLines: boolean;
  /** A folder with Python packages that an operator has prepared. */
  pythonPackages: string | null;
  /** Whether a file is the user's, as it was in the source with which the build began. */
  isUsers: (path: string) => boolean;
}>;

/** Which runner a project's tests need; a project with tests of both languages is judged by those in JavaScript. */
export async function runnerOf(project: Project, dir: string): Promise<Runner> {
  const { node, python, vitest, files } = project;
  if (vitest.tests.length > 0 && (await needsVitest(vitest.tests, dir))) return 'vitest';
  if (node.tests.length > 0) return 'node';
  if (python.tests.length > 0) return (await needsPytest(project, dir)) ? 'pytest' : 'python';
  return python.sources.length > 0 && !files.has('package.json') ? 'python' : 'node';
}

/** A text says why there is nothing to run. */
export async function choosePlan(runner: Runner, input: PlanInput): Promise<RunPlan | string> {
  const { node, python } = input.project;
  const tests = runner === 'vitest' || (runner === 'node' ? node : python).tests.length > 0;
  if (!tests) return `no test ran: ${HOW_TO_WRITE[runner]}`;
  if (runner === 'vitest') return await planVitestRun(input);
  return runner === 'node' ? await planNodeRun(input) : await planPythonRun(input, runner);
}

export const HOW_TO_WRITE = {
  node: 'write tests with node:test in files named *.test.js',
  vitest: 'write tests with vitest in files named *.test.ts or *.test.js',
  python: 'write tests with unittest in files named test_*.py',
  pytest: 'write tests with pytest in files named test_*.py',
} as const satisfies Record<Runner, string>;

async function someText(paths: readonly string[], dir: string, matches: (text: string) => boolean): Promise<boolean> {
  for (const path of paths) if (matches(await readFile(join(dir, path), 'utf8').catch(() => ''))) return true;
  return false;
}

async function needsVitest(tests: readonly string[], dir: string): Promise<boolean> {
  const { dependencies, devDependencies } = await packageJson(dir);
  const depends = dependencies?.vitest !== undefined || devDependencies?.vitest !== undefined;
  return depends && !(await someText(tests, dir, (text) => NODE_TESTS.test(text)));
}

type PackageJson = Readonly<Partial<Record<'dependencies' | 'devDependencies', Readonly<Record<string, unknown>>>>>;

async function packageJson(dir: string): Promise<PackageJson> {
  try {
    return Object(JSON.parse(await readFile(join(dir, 'package.json'), 'utf8'))) as PackageJson;
  } catch {
    // Without a package.json that can be read a project depends on nothing.
    return {};
  }
}

async function needsPytest({ python, files }: Project, dir: string): Promise<boolean> {
  if ([...files].some((path) => /(?:^|\/)conftest\.py$/.test(path))) return true;
  return await someText(python.tests, dir, (text) => /^\s*(?:import|from)\s+pytest\b/m.test(text));
}
