import type { ActivityDeps } from '../../src/activities/deps.ts';
import { noSandbox } from '../../src/activities/sandbox/sandbox.ts';
import { createLog } from '../../src/compose/logging.ts';
import { openSandbox } from '../../src/compose/sandbox.ts';
import { installRuntime } from '../../src/compose/sdk-runtime.ts';
import { MIRROR_CONNECTIONS, startWorker } from '../../src/compose/worker.ts';
import type { Config } from '../../src/config.ts';
import { createMirror } from '../../src/mirror/mirror.ts';
import { INSTANT_FILES } from './instant-answers.ts';
import { argument, serve, type Usage, usage } from './serve.ts';

export type BuildWorkerArgument = Readonly<{
  config: Config;
  databaseUrl: string;
  temporalAddress: string;
  /** `instant`: no git, no test run, no release. `real`: all of it, on a recipe of the simulated model. */
  work: Readonly<{ kind: 'instant'; modelBaseUrl: string } | { kind: 'real'; firstAttemptMistake: boolean }>;
}>;

/** `statements` are those of the mirror, `flushes` the calls that made them. */
export type BuildWorkerUsage = Usage & Readonly<{ statements: number; flushes: number }>;

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const BUNDLE = '0123456789abcdef'.repeat(4);

const INSTANT_WORK: Pick<ActivityDeps, 'workspaces' | 'measureTests' | 'releases'> = {
  workspaces: {
    openSource: async () => ({ commit: COMMIT, tree: COMMIT, bundle: BUNDLE }),
    commitAttempt: async () => ({ commit: COMMIT, tree: COMMIT, ref: 'refs/heads/attempts/bench', bundle: BUNDLE }),
    advanceBuild: async () => undefined,
    exportTree: async () => undefined,
    listFiles: async () => INSTANT_FILES.map(({ path, content }) => ({ path, bytes: content.length })),
    readFiles: async () => ({ files: INSTANT_FILES, omitted: [] }),
    diff: async () => '',
    changedLines: async () => new Map(),
    archive: async () => Buffer.alloc(0),
    repositoryWith: async () => '/workspaces/bench.git',
    listEntries: async () => [],
    treeOf: async () => COMMIT,
    setTag: async () => undefined,
    removeTag: async () => undefined,
  },
  measureTests: async () => ({
    runner: 'node',
    sandbox: 'bubblewrap',
    passed: true,
    tests: 1,
    names: ['instant'],
    skipped: [],
    idle: [],
    owed: [],
    failures: [],
    coverage: 100,
    coverageOf: 'all',
    uncovered: [],
    durationMs: 0,
    output: '',
    exitCode: 0,
  }),
  releases: {
    make: async ({ version }) => ({ path: '/releases/bench', version, tag: `v${version}`, manifest: COMMIT }),
    undo: async () => null,
    undoOthers: async () => [],
  },
};

const { config, databaseUrl, temporalAddress, work } = argument<BuildWorkerArgument>();
const log = createLog('warn');
installRuntime(log);
// Made here, and as the product makes it, so that its statements can be counted.
const mirror = createMirror({ databaseUrl, poolSize: MIRROR_CONNECTIONS });
let flushes = 0;
const counted: ActivityDeps['mirror'] = {
  ...mirror,
  flush: (input, options) => {
    flushes += 1;
    return mirror.flush(input, options);
  },
};
const instant =
  work.kind === 'instant'
    ? { ...INSTANT_WORK, models: { ...config.models, providers: { simulated: { baseUrl: work.modelBaseUrl } } } }
    : {};
const worker = await startWorker({
  config,
  databaseUrl,
  temporalAddress,
  log,
  // An instant build runs nothing, also of the files that generated calls hand to it.
  sandbox: work.kind === 'real' ? await openSandbox({ config, tell: () => undefined }) : noSandbox(true),
  deps: { mirror: counted, ...instant },
  ...(work.kind === 'real' ? { simulated: { firstAttemptMistake: work.firstAttemptMistake } } : {}),
});
const answers = {
  usage: (settled: unknown): BuildWorkerUsage => ({
    ...usage(settled === true),
    statements: mirror.statements(),
    flushes,
  }),
};
serve({}, answers, async () => {
  await worker.close();
  await mirror.close();
});
