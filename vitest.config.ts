import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** Two files to a processor, as some of them wait while the other computes; each takes up to a GB of memory. */
const WORKERS = Math.min(2 * availableParallelism(), 4);

/**
 * Some processes run one file after the other and load the product once: loading it anew for each of a hundred files took
 * longer than the tests. So a file must leave no mark on a module; what it replaces, it puts back.
 */
const SHARED_MODULES = {
  isolate: false,
  maxWorkers: WORKERS,
  setupFiles: ['test/quiet-runtime.ts', 'test/one-seed.ts', 'test/remove-temp-folders.ts'],
};

/** Only what hangs takes so long. How busy the machine is says nothing about the product, so no test is short of time. */
const HANGS_AFTER = { testTimeout: 300_000, hookTimeout: 300_000 };

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**'],
          ...SHARED_MODULES,
          ...HANGS_AFTER,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/integration/global-setup.ts'],
          ...SHARED_MODULES,
          ...HANGS_AFTER,
        },
      },
    ],
  },
});
