import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlanInput } from './choose-plan.ts';
import { codeLines, hollowedCode } from './hollow-code.ts';
import type { Project } from './project.ts';
import type { Span, TestFailure } from './report.ts';
import type { HollowFiles, RunPlan } from './run-plan.ts';
import { sealedReport } from './sealed-report.ts';

type Line =
  | Readonly<{ kind: 'pass' | 'parent' | 'skip'; name: string }>
  | Readonly<{ kind: 'fail' | 'broken'; name: string; reason: string }>
  | Readonly<{ kind: 'file'; path: string; seen: number; left: number }>
  | Readonly<{ kind: 'coverage'; files: readonly Readonly<{ path: string; covered: readonly number[] }>[] }>;

/** A file that registers tests with Node's own runner. */
export const NODE_TESTS = /['"]node:test['"][\s\S]*\b(?:test|it|describe|suite)\s*(?:\.\s*\w+\s*)?\(/;
const REPORTER = fileURLToPath(new URL('./node-reporter.mjs', import.meta.url));

/** Node's own test runner: neither the project's package.json nor its files decide what is run. */
export async function planNodeRun({ project, dir, runDir, hollow, measuresLines }: PlanInput): Promise<RunPlan> {
  const report = await sealedReport(runDir);
  const hollowed = hollow === null ? 0 : await hollowOut(dir, hollow);
  return {
    runner: 'node',
    file: process.execPath,
    args: [
      '--test',
      ...(measuresLines ? ['--experimental-test-coverage'] : []),
      `--test-reporter=${REPORTER}`,
      `--test-reporter-destination=${report.file}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      ...project.node.tests.map((path) => `./${path}`),
    ],
    ownFolders: [REPORTER],
    async observe() {
      const { text, sealed } = await report.read();
      const lines = linesOf(text);
      const spans = measuresLines ? await spansOf(lines, project.node.sources, dir) : new Map();
      return { ...(await observed(lines, sealed, project, dir)), spans, hollowed, sealed };
    },
  };
}

/** Takes the functions out of these files of a copy; how many there were. */
async function hollowOut(dir: string, { paths, gives }: HollowFiles): Promise<number> {
  let functions = 0;
  for (const path of paths) {
    const hollow = hollowedCode(await readFile(join(dir, path), 'utf8').catch(() => ''), gives);
    if (hollow === null) continue;
    functions += hollow.functions;
    await writeFile(join(dir, path), hollow.text);
  }
  return functions;
}

async function observed(lines: readonly Line[], sealed: boolean, project: Project, dir: string) {
  const failures = (kind: 'fail' | 'broken'): TestFailure[] =>
    lines.flatMap((line) => (line.kind === kind ? [{ name: line.name, reason: line.reason }] : []));
  const named = (...kinds: readonly Line['kind'][]): string[] =>
    lines.flatMap((line) => ('name' in line && kinds.includes(line.kind) ? [line.name] : []));
  return {
    ran: named('pass', 'fail', 'parent'),
    passed: named('pass'),
    skipped: named('skip'),
    failed: failures('fail'),
    broken: [...failures('broken'), ...(sealed ? await endedEarly(lines, project, dir) : [])],
  };
}

/** Node takes a file for passed whose process ended with exit code 0, even where its tests never did. */
async function endedEarly(lines: readonly Line[], { node }: Project, dir: string): Promise<TestFailure[]> {
  const counts = new Map(
    lines.flatMap((line) => (line.kind === 'file' ? [[relative(dir, line.path), line] as const] : [])),
  );
  const early: TestFailure[] = [];
  for (const path of node.tests) {
    const { seen, left } = counts.get(path) ?? { seen: 0, left: 0 };
    const silent = seen === 0 && NODE_TESTS.test(await readFile(join(dir, path), 'utf8').catch(() => ''));
    if (!silent && left <= 0) continue;
    const reason = 'the process of this file ended before its tests were done: does one of them end it?';
    early.push({ name: path, reason });
  }
  return early;
}

async function spansOf(
  report: readonly Line[],
  sources: readonly string[],
  dir: string,
): Promise<ReadonlyMap<string, readonly Span[]>> {
  const covered = new Map<string, ReadonlySet<number>>();
  for (const line of report) {
    if (line.kind !== 'coverage') continue;
    for (const file of line.files) covered.set(relative(dir, file.path), new Set(file.covered));
  }
  const spans = new Map<string, readonly Span[]>();
  for (const path of sources) {
    const text = await readFile(join(dir, path), 'utf8').catch(() => '');
    const lines = [...(codeLines(text) ?? filledLines(text))];
    spans.set(
      path,
      lines.map((line) => [line, line, covered.get(path)?.has(line) ? 1 : 0] as const),
    );
  }
  return spans;
}

const filledLines = (text: string): number[] =>
  text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [index + 1]));

function linesOf(text: string): Line[] {
  return text.split('\n').flatMap((line): Line[] => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      // The seal of another, or what a test wrote over our report: without a true seal the run does not pass.
      return [];
    }
  });
}
