import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What can be run and what can be covered in a project, as sorted paths with `/`, relative to its root. */
export type Project = Readonly<{
  node: Readonly<{ tests: readonly string[]; sources: readonly string[] }>;
  python: Readonly<{ tests: readonly string[]; sources: readonly string[] }>;
  /** Named as vitest does by default; whether the project depends on it is not said here. */
  vitest: Readonly<{ tests: readonly string[]; sources: readonly string[] }>;
  files: ReadonlySet<string>;
}>;

const SKIPPED_FOLDER = /^(?:node_modules|__pycache__|venv|\..*)$/;
const TEST_FOLDER = /(?:^|\/)(?:test|tests|__tests__)\//;
const NODE_TEST_NAME = /(?:^|[.\-_])(?:test|spec)\.[cm]?[jt]s$|^test-[^/]*\.[cm]?[jt]s$/;
const VITEST_CODE = /(?<!\.d)\.[cm]?[jt]sx?$/;
const VITEST_NAME = /\.(?:test|spec)\.[cm]?[jt]sx?$/;
const CONFIG_NAME = /\.config\.[cm]?[jt]s$/;
const PYTHON_TEST_NAME = /^test_.*\.py$|_test\.py$/;
const ENTRY_LIMIT = 20_000;

/** Links are not followed: a project ends at its own files. */
export async function scanProject(dir: string): Promise<Project> {
  const files = (await walk(dir, '', [])).sort();
  const nodeFiles = files.filter(isNodeCode);
  const pythonFiles = files.filter((path) => path.endsWith('.py'));
  const isNodeTest = (path: string): boolean => TEST_FOLDER.test(path) || NODE_TEST_NAME.test(nameOf(path));
  const isPythonTest = (path: string): boolean => PYTHON_TEST_NAME.test(nameOf(path));
  const vitestFiles = files.filter((path) => VITEST_CODE.test(path));
  const isVitestSource = (path: string): boolean =>
    !VITEST_NAME.test(path) && !TEST_FOLDER.test(path) && !CONFIG_NAME.test(path);
  return {
    node: { tests: nodeFiles.filter(isNodeTest), sources: nodeFiles.filter((path) => !isNodeTest(path)) },
    python: {
      tests: pythonFiles.filter(isPythonTest),
      sources: pythonFiles.filter((path) => !isPythonTest(path) && !TEST_FOLDER.test(path)),
    },
    vitest: {
      tests: vitestFiles.filter((path) => VITEST_NAME.test(path)),
      sources: vitestFiles.filter(isVitestSource),
    },
    files: new Set(files),
  };
}

function isNodeCode(path: string): boolean {
  if (/\.[cm]?js$/.test(path)) return true;
  // Only a Node that runs TypeScript itself can have tests that load it.
  const runsTypeScript = 'typescript' in process.features && process.features.typescript !== false;
  return runsTypeScript && /(?<!\.d)\.[cm]?ts$/.test(path);
}

async function walk(root: string, folder: string, found: string[]): Promise<string[]> {
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    if (found.length >= ENTRY_LIMIT) break;
    const path = `${folder}${entry.name}`;
    if (entry.isFile()) found.push(path);
    else if (entry.isDirectory() && !SKIPPED_FOLDER.test(entry.name)) await walk(root, `${path}/`, found);
  }
  return found;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
