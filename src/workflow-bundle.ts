import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BundleOptions, bundleWorkflowCode } from '@temporalio/worker';
import { PAYLOAD_CONVERTER_PATH } from './payload-converter-path.ts';

const SOURCE_DIR = fileURLToPath(new URL('.', import.meta.url));
/** All that the workflow's code consists of, beside the SDK. */
const BUNDLED_DIRS = ['workflows', 'machine'];

export const WORKFLOWS_PATH = join(SOURCE_DIR, 'workflows', 'index.ts');
const INTERCEPTORS_PATH = join(SOURCE_DIR, 'workflows', 'reserved-signals.ts');

async function sourcesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((e) => e.isFile() && /\.(ts|cjs)$/.test(e.name)).map((e) => join(e.parentPath, e.name));
}

async function sourceDigest(): Promise<string> {
  const sdk = createRequire(import.meta.url)('@temporalio/workflow/package.json') as { version: string };
  const digest = createHash('sha256').update(`${sdk.version} ${process.version}`);
  const sources = (await Promise.all(BUNDLED_DIRS.map((dir) => sourcesIn(join(SOURCE_DIR, dir))))).flat();
  // How it is bundled is part of what it is: this file too.
  const paths = [fileURLToPath(import.meta.url), ...sources].sort();
  for (const path of paths) digest.update(path.slice(SOURCE_DIR.length)).update(await readFile(path));
  return digest.digest('hex').slice(0, 32);
}

const SWC = {
  loader: createRequire(createRequire(import.meta.url).resolve('@temporalio/worker')).resolve('swc-loader'),
  options: { sourceMap: true, jsc: { target: 'es2022', parser: { syntax: 'typescript' } } },
};

/**
 * The SDK notes a stack trace for every promise of a workflow and looks each of its frames up in the source map: with the
 * engine's ten frames that is a tenth of a build's time. Two are enough to see where a run waits or failed. It stands before
 * the bundle because the SDK freezes `Error` once that has run.
 */
const FEW_FRAMES = 'Error.stackTraceLimit = 2; ';

type BundlerConfig = Parameters<NonNullable<BundleOptions['webpackConfigHook']>>[0];

/**
 * The SDK's stock bundle is for debugging: every import goes through a getter, and spreads become helpers for old
 * engines. Workflow code runs in a sandbox where both are slow, and every build runs it a dozen times.
 */
function forSpeed(config: BundlerConfig): BundlerConfig {
  const rules = (config.module?.rules ?? []).map((rule) =>
    typeof rule === 'object' && rule !== null && String(rule.test) === String(/\.ts$/)
      ? { test: /\.ts$/, exclude: /node_modules/, use: SWC }
      : rule,
  );
  const optimization = { ...config.optimization, minimize: false };
  return { ...config, mode: 'production', optimization, module: { ...config.module, rules } };
}

/**
 * The bundle of the workflow's code, made once per version of the sources and kept in the cache folder: bundling costs
 * seconds, and every worker that starts would pay for it.
 * @returns the path of the bundle
 */
export async function workflowBundle(cacheDir: string): Promise<string> {
  const folder = join(cacheDir, 'bundles');
  const path = join(folder, `${await sourceDigest()}.js`);
  const cached = await readFile(path).catch(() => null);
  if (cached !== null) return path;
  const silent = () => undefined;
  const logger = { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent };
  const { code } = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    payloadConverterPath: PAYLOAD_CONVERTER_PATH,
    workflowInterceptorModules: [INTERCEPTORS_PATH],
    webpackConfigHook: forSpeed,
    logger,
  });
  await mkdir(folder, { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, FEW_FRAMES + code);
  await rename(temporary, path);
  return path;
}
