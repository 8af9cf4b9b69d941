import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Project } from './project.ts';
import { NOTHING_OBSERVED, type Observed, type Runner, type Span } from './report.ts';
import type { HollowFiles, RunPlan } from './run-plan.ts';
import { sealedReport } from './sealed-report.ts';

type Written = Omit<Observed, 'spans' | 'sealed'> & Readonly<{ spans: Readonly<Record<string, readonly Span[]>> }>;

const OWN_FOLDER = fileURLToPath(new URL('./python', import.meta.url));

export type PythonRunInput = Readonly<{
  project: Project;
  dir: string;
  runDir: string;
  hollow: HollowFiles | null;
  runner: Extract<Runner, 'python' | 'pytest'>;
  /** A folder with packages that an operator has prepared. */
  packages: string | null;
}>;

/** Our own runner, over unittest or pytest: it decides what is collected and reported, no file of the project does. */
export async function planPythonRun({
  project,
  dir,
  runDir,
  hollow,
  runner,
  packages,
}: PythonRunInput): Promise<RunPlan> {
  const report = await sealedReport(runDir);
  const planFile = join(runDir, 'plan.json');
  const plan = { root: dir, runner, packages, report: report.file, key: report.keyFile, hollow, ...project.python };
  await writeFile(planFile, JSON.stringify(plan));
  return {
    runner,
    file: 'python3',
    // Isolated: no PYTHON* variable, no user's packages, and no file of the project can stand in for a standard module.
    args: ['-I', '-B', join(OWN_FOLDER, 'runner.py'), planFile],
    ownFolders: packages === null ? [OWN_FOLDER] : [OWN_FOLDER, packages],
    async observe() {
      const { text, sealed } = await report.read();
      return sealed ? parsed(text) : NOTHING_OBSERVED;
    },
    unfitExitCode: 97,
  };
}

function parsed(text: string): Observed {
  const { spans, ...written } = JSON.parse(text) as Written;
  return { ...written, spans: new Map(Object.entries(spans)), sealed: true };
}
