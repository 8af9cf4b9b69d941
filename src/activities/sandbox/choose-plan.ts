import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { planNodeRun } from './node-run.ts';
import type { Project } from './project.ts';
import { planPythonRun } from './python-run.ts';
import type { Runner } from './report.ts';
import type { HollowFiles, RunPlan } from './run-plan.ts';

export type PlanInput = Readonly<{
  project: Project;
  dir: string;
  runDir: string;
  hollow: HollowFiles | null;
  /** A folder with `node_modules` and `python` that an operator has prepared. */
  dependenciesDir: string | null;
}>;

/** Which runner a project's tests need; a project with tests of both languages is judged by those for Node. */
export async function runnerOf({ node, python, hasPackageJson }: Project, dir: string): Promise<Runner> {
  if (node.tests.length > 0) return 'node';
  if (python.tests.length > 0) return (await usesPytest(python, dir)) ? 'pytest' : 'python';
  return python.sources.length > 0 && !hasPackageJson ? 'python' : 'node';
}

/** Null when there is no test file to run. */
export async function choosePlan(runner: Runner, input: PlanInput): Promise<RunPlan | null> {
  const { project, dir, runDir, hollow, dependenciesDir } = input;
  if (runner === 'python' || runner === 'pytest') {
    if (project.python.tests.length === 0) return null;
    const packages = dependenciesDir === null ? null : join(dependenciesDir, 'python');
    return await planPythonRun({ project, dir, runDir, hollow, runner, packages });
  }
  return project.node.tests.length === 0 ? null : await planNodeRun(project, dir, runDir, hollow);
}

async function usesPytest({ tests, sources }: Project['python'], dir: string): Promise<boolean> {
  if ([...tests, ...sources].some((path) => /(?:^|\/)conftest\.py$/.test(path))) return true;
  for (const path of tests) {
    const text = await readFile(join(dir, path), 'utf8').catch(() => '');
    if (/^\s*(?:import|from)\s+pytest\b/m.test(text)) return true;
  }
  return false;
}
