/**
 * Compiles the programs of `src` with the packages that they need into `dist`, one file each and what they share. Node starts them in a
 * sixth of the processor time that translating, looking up and reading some two thousand modules takes. Remembers of which
 * sources it was made, so that it is made anew when one of them changed and a program is to be started.
 *
 *   node scripts/compile.mjs
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BANNER, LEFT_OUTSIDE, packageModules } from './package-modules.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const record = join(dist, '.sources');
const PROGRAMS = ['bundle', 'cli', 'demo', 'main', 'migrate', 'server', 'worker', 'workflow-thread'];
const SOURCE_DIRS = ['src', join('prisma', 'client')];
const COMPILER = ['compile.mjs', 'package-modules.mjs'].map((name) => join(root, 'scripts', name));
const CODE = /\.m?ts$|\.mjs$/;
const OLD_AFTER_MS = 24 * 60 * 60_000;

/** Where the program of a source is, relative to the project: dist/main.mjs of src/main.ts; null where it is none of these. */
export function compiled(source) {
  const name = PROGRAMS.find((program) => source === `src/${program}.ts`);
  return name === undefined ? null : `dist/${name}.mjs`;
}

/** Whether dist is missing or was made of other sources. */
export function isDistStale() {
  return !existsSync(record) || readFileSync(record, 'utf8') !== sourceHash();
}

function sourceHash() {
  // The addresses of the sources are in what is made: a project that was moved is compiled anew.
  const hash = createHash('sha256')
    .update(root)
    .update(readFileSync(join(root, 'package-lock.json')));
  const paths = SOURCE_DIRS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => join(root, folder, name)),
  ).filter((path) => CODE.test(path));
  for (const path of [...COMPILER, ...paths.sort()]) {
    hash.update(`${relative(root, path)}\n`).update(readFileSync(path));
  }
  return hash.digest('hex');
}

/** Modules find files beside them by their own address, which must stay that of the source. */
const keepAddresses = {
  name: 'keep-addresses',
  setup(build) {
    build.onLoad({ filter: /\.(ts|mjs)$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8');
      if (!contents.includes('import.meta.url')) return null;
      const loader = path.endsWith('.ts') ? 'ts' : 'js';
      return { contents: contents.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)), loader };
    });
  },
};

/** Compiles the programs of src, whatever is there already. */
export async function compile() {
  const hash = sourceHash();
  const made = await compileInto(
    dist,
    PROGRAMS.map((name) => join(root, 'src', `${name}.ts`)),
  );
  place(record, hash);
  removeOld(new Set(made));
}

/**
 * Compiles programs into a folder inside the project, with their packages: one file of each, and what they share.
 * Gives the paths of all that it wrote.
 */
export async function compileInto(folder, sources) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: sources.map((path) => ({ in: path, out: basename(path, '.ts') })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'shared/[name]-[hash]',
    write: false,
    bundle: true,
    splitting: true,
    packages: 'bundle',
    external: LEFT_OUTSIDE,
    banner: { js: BANNER },
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    plugins: [packageModules(folder, sources), keepAddresses],
    logLevel: 'warning',
  });
  mkdirSync(join(folder, 'shared'), { recursive: true });
  // A program may be started at any moment: what all share stands first, and each file appears whole.
  const shared = outputFiles.filter(({ path }) => dirname(path) !== folder);
  for (const file of [...shared, ...outputFiles.filter((one) => !shared.includes(one))])
    place(file.path, file.contents);
  return outputFiles.map(({ path }) => path);
}

function place(path, contents) {
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, contents);
  renameSync(draft, path);
}

/** What programs that were started a day ago and before had in common is not looked up any more. */
function removeOld(current) {
  for (const name of readdirSync(join(dist, 'shared'))) {
    const path = join(dist, 'shared', name);
    if (!current.has(path) && Date.now() - statSync(path).mtimeMs > OLD_AFTER_MS) rmSync(path, { force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await compile();
