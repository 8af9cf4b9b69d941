import { posix } from 'node:path';
import { isJsonObject } from '../../machine/json.ts';
import { toCommonJs } from './common-js.ts';
import type { PhasePrompt } from './prompt-reader.ts';
import { type LoadedRecipe, REQUIREMENTS_PLACE, type RecipeFile } from './recipe.ts';

/** The part of a prompt that shows a code base, and how far the build is. */
type Shown = Pick<PhasePrompt, 'paths' | 'files' | 'phase' | 'attempt'>;

type Language = 'node' | 'python';

/** An existing code base, as far as a prompt shows it. */
export type Project = Readonly<{
  language: Language | null;
  modules: 'esm' | 'commonjs';
  testsWith: 'node:test' | 'vitest';
  paths: ReadonlySet<string>;
}>;

export const languageOf = ({ rightFiles }: Pick<LoadedRecipe, 'rightFiles'>): Language =>
  rightFiles.some(({ path }) => path.endsWith('.py')) ? 'python' : 'node';

/** What a project of some language has of its own, or does without. */
const PROJECT_FILES = ['package.json', 'README.md', 'tests/__init__.py'];
/** Where projects keep their code and their tests; the first that is there is taken. */
const SOURCE_FOLDERS = ['src', 'lib'];
const TEST_FOLDERS = ['test', 'tests', '__tests__'];
/** Added to the name of a module where the project has one of that name. */
const MARK = 'simulated';

/** A file as it stands: verification is shown it with the number of each line. */
const plain = (content: string): string => content.replace(/^\d+\| /gm, '').trimEnd();

function packageOf(files: PhasePrompt['files']): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(plain(files.get('package.json') ?? '{}'));
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

function languageIn(paths: ReadonlySet<string>): Language | null {
  if (paths.has('package.json')) return 'node';
  const names = [...paths];
  if (names.some((path) => path.endsWith('.py'))) return 'python';
  return names.some((path) => /\.[cm]?js$/.test(path)) ? 'node' : null;
}

/** The code base that a prompt shows; null where it shows nothing but what the recipe itself wrote. */
export function projectOf({ paths, files }: PhasePrompt, { rightFiles }: LoadedRecipe): Project | null {
  const own = new Map(rightFiles.map(({ path, content }) => [path, content]));
  const isOwn = (path: string): boolean => {
    const shown = files.get(path);
    if (shown === undefined || !PROJECT_FILES.includes(path)) return own.has(path);
    return plain(own.get(path) ?? '') === plain(shown);
  };
  if ([...paths].every(isOwn)) return null;
  const { type, devDependencies } = packageOf(files);
  const language = languageIn(paths);
  return {
    language,
    // Where there is no code yet the recipe brings its own package.json, which says that its modules are ES modules.
    modules: type === 'module' || language === null ? 'esm' : 'commonjs',
    testsWith: isJsonObject(devDependencies) && 'vitest' in devDependencies ? 'vitest' : 'node:test',
    paths,
  };
}

const hasFolder = ({ paths }: Project, folder: string): boolean =>
  [...paths].some((path) => path.startsWith(`${folder}/`));

const folderOf = (project: Project, folders: readonly string[], otherwise: string): string =>
  folders.find((folder) => hasFolder(project, folder)) ?? otherwise;

const marked = (path: string): string => path.replace(/^((?:.*\/)?)([^./]+)/, `$1$2-${MARK}`);

/** Where each file of a recipe goes; null for what the project has already. */
function placeFor(path: string, project: Project): string | null {
  const isNew = project.language === null && !project.paths.has(path);
  if (PROJECT_FILES.includes(path)) return isNew ? path : null;
  if (path.endsWith('.py')) return path;
  const folder = path.startsWith('test/')
    ? folderOf(project, TEST_FOLDERS, 'test')
    : folderOf(project, SOURCE_FOLDERS, project.language === null ? 'src' : '');
  return posix.join(folder, posix.basename(path));
}

/** Relative imports of a moved file, made to lead to where the others moved. */
function withMovedImports(
  content: string,
  from: string,
  to: string,
  places: ReadonlyMap<string, string | null>,
): string {
  return content.replace(/(from ')(\.{1,2}\/[^']+)(')/g, (whole, before: string, target: string, after: string) => {
    const moved = places.get(posix.join(posix.dirname(from), target));
    if (moved == null) return whole;
    const path = posix.relative(posix.dirname(to), moved);
    return `${before}${path.startsWith('.') ? path : `./${path}`}${after}`;
  });
}

type Places = ReadonlyMap<string, string | null>;

function placed(recipe: LoadedRecipe, project: Project, places: Places): LoadedRecipe {
  const isCommonJs = project.modules === 'commonjs' && project.testsWith === 'node:test';
  const moved = ({ path, content }: RecipeFile): RecipeFile[] => {
    const to = places.get(path);
    if (to == null) return [];
    if (!to.endsWith('.js')) return [{ path: to, content }];
    const fit = withMovedImports(content, path, to, places).replace("from 'node:test'", `from '${project.testsWith}'`);
    return [{ path: to, content: isCommonJs ? toCommonJs(fit) : fit }];
  };
  return {
    ...recipe,
    plan: `${recipe.plan} In the project as it is: ${[...places.values()].filter(Boolean).join(', ')}; nothing else is changed.`,
    criteria: recipe.criteria.map((one) => ({ ...one, file: places.get(one.file) ?? one.file })),
    rightFiles: recipe.rightFiles.flatMap(moved),
    mistakenFiles: recipe.mistakenFiles.flatMap(moved),
  };
}

/** Whether a file that stands where the recipe would write is not of its own making, in an earlier attempt or phase. */
function meetsForeignFile(
  { rightFiles, mistakenFiles }: LoadedRecipe,
  { paths, files, phase, attempt }: Shown,
): boolean {
  const isUnwritten = phase === 'discovery' || phase === 'planning' || (phase === 'implementation' && attempt === 1);
  return rightFiles.some(({ path, content }, index) => {
    if (!paths.has(path) || content.includes(REQUIREMENTS_PLACE)) return false;
    const shown = files.get(path);
    if (shown === undefined) return isUnwritten;
    return ![content, mistakenFiles[index]?.content ?? ''].map(plain).includes(plain(shown));
  });
}

/**
 * A recipe as it goes into an existing project: its modules and tests in the folders that are there, in the project's kind
 * of modules, under other names where these are taken, and nothing of the project's own changed.
 * @returns null where it cannot have other names: packages of Python name each other
 */
export function recipeInto(recipe: LoadedRecipe, project: Project, shown: Shown): LoadedRecipe | null {
  const places = recipe.rightFiles.map(({ path }) => [path, placeFor(path, project)] as const);
  const usual = placed(recipe, project, new Map(places));
  if (!meetsForeignFile(usual, shown)) return usual;
  if (languageOf(recipe) === 'python') return null;
  return placed(recipe, project, new Map(places.map(([path, to]) => [path, to && marked(to)])));
}
