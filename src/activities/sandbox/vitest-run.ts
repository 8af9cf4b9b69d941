import { access, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlanInput } from './choose-plan.ts';
import { NOTHING_OBSERVED, type Observed } from './report.ts';
import type { RunPlan } from './run-plan.ts';
import { readRecord } from './run-record.ts';
import { sealedReport } from './sealed-report.ts';

const RUNNER = fileURLToPath(new URL('./vitest-runner.mjs', import.meta.url));
const HOLLOW = fileURLToPath(new URL('./hollow-ast.mjs', import.meta.url));
const CONFIGS = ['vitest.config', 'vite.config'].flatMap((name) =>
  ['ts', 'mts', 'js', 'mjs'].map((ending) => `${name}.${ending}`),
);

const MISSING =
  'the tests need vitest with @vitest/coverage-v8, which are not there: have an operator install them into the folder ' +
  'node_modules of SANDBOX_DEPENDENCIES, or write the tests with node:test';

/**
 * Vitest from the packages that an operator has prepared or that stand in the user's source, started by our own runner. Of
 * configuration only a file of the user's source counts that the build has not changed. A text says what is missing.
 */
export async function planVitestRun(input: PlanInput): Promise<RunPlan | string> {
  const { project, dir, runDir, hollow, measuresLines, isUsers } = input;
  const packages = join(dir, 'node_modules');
  if (
    !(await isThere(join(packages, 'vitest/dist/node.js'))) ||
    !(await isThere(join(packages, '@vitest/coverage-v8')))
  ) {
    return MISSING;
  }
  const vitest = await realpath(join(packages, 'vitest'));
  const report = await sealedReport(runDir);
  const planFile = join(runDir, 'plan.json');
  const config = CONFIGS.find((path) => project.files.has(path) && isUsers(path));
  const plan = {
    ...{ root: dir, runDir, vitest, report: report.file, key: report.keyFile, hollow, measuresLines },
    ...{ config: config === undefined ? null : join(dir, config), ...project.vitest },
  };
  await writeFile(planFile, JSON.stringify(plan));
  return {
    runner: 'vitest',
    file: process.execPath,
    args: [RUNNER, planFile],
    ownFolders: [RUNNER, HOLLOW],
    async observe(): Promise<Observed> {
      const { text, sealed } = await report.read();
      return sealed ? readRecord(text) : NOTHING_OBSERVED;
    },
  };
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
