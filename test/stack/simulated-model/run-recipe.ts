import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RecipeFile } from '../../../src/stack/simulated-model/recipe.ts';

export type RecipeRun = { exitCode: number; failedTests: string[]; tests: number; coverage: Record<string, number> };
type Finished = { exitCode: number; output: string };

/** Only what hangs takes so long. */
const DEADLINE_MS = 100_000;

/**
 * Really runs the tests of a recipe's files in a folder of their own; coverage is that of lines, by source file.
 * @param measured whether coverage is wanted: Python runs the tests a second time for it
 */
export async function runRecipe(files: readonly RecipeFile[], measured: boolean): Promise<RecipeRun> {
  const folder = await mkdtemp(join(tmpdir(), 'recipe-'));
  try {
    for (const { path, content } of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    return files.some(({ path }) => path.endsWith('.py')) ? await runPython(folder, measured) : await runNode(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runNode(folder: string): Promise<RecipeRun> {
  const { exitCode } = await run(folder, process.execPath, [
    '--test',
    '--experimental-test-coverage',
    '--test-reporter=lcov',
    '--test-reporter-destination=lcov.info',
    '--test-reporter=junit',
    '--test-reporter-destination=junit.xml',
  ]);
  const junit = await readFile(join(folder, 'junit.xml'), 'utf8');
  const failed = [...junit.matchAll(/<testcase name="([^"]+)"[^>]*>\s*<failure/g)].map(([, name]) => String(name));
  const records = (await readFile(join(folder, 'lcov.info'), 'utf8')).split('end_of_record');
  const coverage = records.flatMap((record) => {
    const file = /^SF:(.*)$/m.exec(record)?.[1];
    const [found, hit] = [/^LF:(\d+)$/m, /^LH:(\d+)$/m].map((line) => Number(line.exec(record)?.[1]));
    return file?.startsWith('src/') ? [[file, (100 * Number(hit)) / Number(found)]] : [];
  });
  return {
    exitCode,
    failedTests: failed,
    tests: junit.split('<testcase').length - 1,
    coverage: Object.fromEntries(coverage),
  };
}

async function runPython(folder: string, measured: boolean): Promise<RecipeRun> {
  const { exitCode, output } = await run(folder, 'python3', ['-m', 'unittest', '-v']);
  return {
    exitCode,
    failedTests: [...output.matchAll(/^(test_\w+) .*\.\.\. (?:FAIL|ERROR)$/gm)].map(([, name]) => String(name)),
    tests: Number(/^Ran (\d+) tests? in/m.exec(output)?.[1]),
    coverage: measured ? await pythonCoverage(folder) : {},
  };
}

async function pythonCoverage(folder: string): Promise<Record<string, number>> {
  const ignored = '--ignore-dir=$prefix/lib:/usr/lib:/usr/local/lib';
  const traced = await run(folder, 'python3', [
    ...['-m', 'trace', '--count', '--summary', '--missing', '--coverdir', 'cover', ignored],
    ...['--module', 'unittest'],
  ]);
  // One line per module: lines, percentage, module, path.
  const coverage = [...traced.output.matchAll(/^\s*\d+\s+(\d+)%\s+(\S+)\s+\((.*)\)$/gm)]
    .filter(([, , module, path]) => path?.startsWith(folder) && !module?.startsWith('tests'))
    .map(([, percent, module]) => [String(module), Number(percent)]);
  return Object.fromEntries(coverage);
}

function run(cwd: string, command: string, args: readonly string[]): Promise<Finished> {
  const env = { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1' };
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, env, timeout: DEADLINE_MS }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ exitCode: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}
