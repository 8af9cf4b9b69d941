import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Project } from './project.ts';
import type { Observed } from './report.ts';
import type { RunPlan } from './run-plan.ts';

const RUNNER = fileURLToPath(new URL('./python-runner.py', import.meta.url));

/** Our own runner over unittest: the machine needs python3 and nothing else. */
export async function planPythonRun(project: Project, dir: string, runDir: string): Promise<RunPlan> {
  const planFile = join(runDir, 'plan.json');
  const reportFile = join(runDir, 'report.json');
  await writeFile(planFile, JSON.stringify({ root: dir, report: reportFile, ...project.python }));
  return {
    runner: 'python',
    file: 'python3',
    // Isolated: no PYTHON* variable, no user's packages, and no file of the project can stand in for a standard module.
    args: ['-I', '-B', RUNNER, planFile],
    ownFolders: [RUNNER],
    observe: async () => parse(await readFile(reportFile, 'utf8').catch(() => null)),
    unfitExitCode: 97,
  };
}

function parse(text: string | null): Observed | null {
  return text === null ? null : (JSON.parse(text) as Observed);
}
