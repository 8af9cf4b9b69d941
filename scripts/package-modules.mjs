/**
 * How the packages that the programs need are put into `dist` with them. From where npm put them, Node looks up and reads some
 * 1,500 files at each start, half of its processor time. A package finds the files that it has beside it still there.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Not put into `dist`: what few starts need and is large, finds its parts by names made at run time, or need not be installed. */
export const LEFT_OUTSIDE = ['@prisma/client/runtime/query_compiler*', 'pg-native', 'webpack'];

/** What every file begins with: packages that are CommonJS get Node's own modules and what is left outside by `require`. */
export const BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

const PACKAGED = /[\\/]node_modules[\\/].*\.[cm]?js$/;
const OF_SDK = /[\\/]node_modules[\\/]@temporalio[\\/].*\.js$/;
/** A worker that is compiled together with it starts it; else that of the package. */
const WORKFLOW_THREAD = /[\\/]workflow-thread\.ts$/;
const STARTS_THREAD = /@temporalio[\\/]worker[\\/]lib[\\/]workflow[\\/]threaded-vm\.js$/;

/** Maps the first line alone: maps of all that is packaged would be read whole at each start. */
const WITHOUT_MAP = Buffer.from('{"version":3,"sources":["packaged"],"mappings":"AAAA"}').toString('base64');

/** Puts packages into programs of these sources that are compiled into a folder. */
export function packageModules(folder, sources) {
  const thread = sources.some((path) => WORKFLOW_THREAD.test(path)) ? join(folder, 'workflow-thread.mjs') : null;
  return {
    name: 'package-modules',
    setup(build) {
      build.onLoad({ filter: PACKAGED }, ({ path }) => {
        const source = readFileSync(path, 'utf8');
        const pointed = thread !== null && STARTS_THREAD.test(path) ? pointedAt(thread, source) : source;
        const shared = OF_SDK.test(path) ? shareable(path) : '';
        return {
          contents: `${keepPlace(path, pointed)}\n${shared}\n//# sourceMappingURL=data:application/json;base64,${WITHOUT_MAP}\n`,
        };
      });
    },
  };
}

function pointedAt(thread, source) {
  const named = "require.resolve('./workflow-worker-thread')";
  if (!source.includes(named)) throw new Error(`The SDK starts its workflow thread otherwise than by ${named}.`);
  return source.replace(named, () => JSON.stringify(thread));
}

function keepPlace(path, source) {
  const ownRequire = `require('node:module').createRequire(${JSON.stringify(path)})`;
  return source
    .replaceAll('import.meta.url', () => JSON.stringify(pathToFileURL(path).href))
    .replaceAll(/\b__dirname\b/g, () => JSON.stringify(dirname(path)))
    .replaceAll(/\b__filename\b/g, () => JSON.stringify(path))
    .replaceAll(/\brequire\.resolve\(/g, () => `${ownRequire}.resolve(`);
}

/**
 * What is loaded by its path, as the payload converter is, and asks Node for the SDK gets the modules that the program has: there twice,
 * they would each have classes and contexts of their own, and be read from where npm put them after all.
 */
function shareable(path) {
  const id = JSON.stringify(path);
  return `require('node:module')._cache[${id}] = { id: ${id}, filename: ${id}, exports: module.exports, loaded: true, children: [], paths: [] };`;
}
