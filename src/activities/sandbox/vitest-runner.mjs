// Runs a project's tests with vitest and reports them, without any configuration or reporter of a file that the build wrote.
//
// usage: node vitest-runner.mjs plan.json
//
// This process decides what is run and writes the report; test files run in processes of their own.
import { createHmac } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hollowedProgram } from './hollow-ast.mjs';

const [planFile] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planFile, 'utf8'));
const key = readFileSync(plan.key, 'utf8');
rmSync(plan.key);
rmSync(planFile);
// Node would open a debugger on this signal, through which a test could write into this process.
process.on('SIGUSR1', () => undefined);

let recorded = false;
const report = { ran: [], passed: [], skipped: [], failed: [], broken: [], spans: {}, hollowed: 0 };
const { startVitest } = await import(pathToFileURL(join(plan.vitest, 'dist/node.js')).href);
const vitest = await startVitest('test', [], testOptions(), {
  configFile: plan.config ?? false,
  cacheDir: join(plan.runDir, 'vite'),
  plugins: [hollowPlugin()],
});
await vitest.close();
// Vitest goes on where a reporter fails: what was not recorded to its end is no report.
if (!recorded) process.exit(1);
const text = `${JSON.stringify(report)}\n`;
writeFileSync(plan.report, `${text}${createHmac('sha256', key).update(text).digest('hex')}\n`);
process.exit(report.failed.length + report.broken.length > 0 ? 1 : 0);

function testOptions() {
  return {
    ...{ root: plan.root, config: plan.config ?? false, watch: false, run: true, pool: 'forks', passWithNoTests: true },
    // Which test files there are is decided outside; `only` leaves others out, and these are reported as skipped.
    ...{ include: plan.tests, exclude: [], allowOnly: true, reporters: [recorder(), 'default'] },
    ...(plan.config === null ? { globals: true } : {}),
    coverage: {
      ...{ enabled: plan.measuresLines, provider: 'v8', include: plan.sources, exclude: [], thresholds: undefined },
      ...{ reporter: [], reportsDirectory: join(plan.runDir, 'coverage'), reportOnFailure: true },
    },
  };
}

function recorder() {
  return {
    onTestRunEnd(modules, unhandled) {
      for (const module of modules) record(module);
      for (const error of unhandled) report.broken.push({ name: '(outside of tests)', reason: messageOf(error) });
      recorded = true;
    },
    onCoverage(map) {
      for (const file of map.files()) {
        const lines = Object.entries(map.fileCoverageFor(file).getLineCoverage());
        report.spans[relative(plan.root, file)] = lines.map(([line, hits]) => [
          Number(line),
          Number(line),
          hits > 0 ? 1 : 0,
        ]);
      }
    },
  };
}

function record(module) {
  const file = relative(plan.root, module.moduleId);
  for (const error of module.errors()) report.broken.push({ name: file, reason: messageOf(error) });
  for (const suite of module.children.allSuites()) {
    for (const error of suite.errors()) report.broken.push({ name: suite.fullName, reason: messageOf(error) });
  }
  for (const test of module.children.allTests()) {
    const { state, errors } = test.result();
    if (state === 'skipped' || test.options.mode === 'todo' || test.options.fails) report.skipped.push(test.fullName);
    else if (state === 'pending') report.broken.push({ name: test.fullName, reason: 'did not end' });
    else {
      report.ran.push(test.fullName);
      if (state === 'passed') report.passed.push(test.fullName);
      else report.failed.push({ name: test.fullName, reason: messageOf(errors?.[0]) });
    }
  }
}

function messageOf(error) {
  return String(error?.message ?? error ?? 'failed without saying why');
}

/** Takes the functions out of sources as they are loaded: after TypeScript has become JavaScript. */
function hollowPlugin() {
  const paths = new Set(plan.hollow?.paths.map((path) => join(plan.root, path)));
  return {
    name: 'hollow',
    enforce: 'post',
    transform(code, id) {
      if (!paths.has(id.split('?')[0])) return null;
      const hollow = hollowedProgram(code, this.parse(code), plan.hollow.gives);
      if (hollow === null) return null;
      report.hollowed += hollow.functions;
      return { code: hollow.text, map: null };
    },
  };
}
