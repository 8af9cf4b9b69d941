import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlanInput } from './choose-plan.ts';
import { NOTHING_OBSERVED, type Runner } from './report.ts';
import type { RunPlan } from './run-plan.ts';
import { readRecord } from './run-record.ts';
import { sealedReport } from './sealed-report.ts';

const OWN_FOLDER = fileURLToPath(new URL('./python', import.meta.url));

/** Our own runner, over unittest or pytest: it decides what is collected and reported, no file of the project does. */
export async function planPythonRun(
  { project, dir, runDir, hollow, measuresLines, pythonPackages }: PlanInput,
  runner: Extract<Runner, 'python' | 'pytest'>,
): Promise<RunPlan> {
  const report = await sealedReport(runDir);
  const planFile = join(runDir, 'plan.json');
  const plan = {
    root: dir,
    runner,
    packages: pythonPackages,
    report: report.file,
    key: report.keyFile,
    hollow,
    tests: project.python.tests,
    sources: measuresLines ? project.python.sources : [],
  };
  await writeFile(planFile, JSON.stringify(plan));
  return {
    runner,
    file: 'python3',
    // Isolated: no PYTHON* variable, no user's packages, and no file of the project can stand in for a standard module.
    args: ['-I', '-B', join(OWN_FOLDER, 'runner.py'), planFile],
    ownFolders: [OWN_FOLDER],
    async observe() {
      const { text, sealed } = await report.read();
      return sealed ? readRecord(text) : NOTHING_OBSERVED;
    },
    unfitExitCode: 97,
  };
}
