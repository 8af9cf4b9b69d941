import { defineConfig } from 'vitest/config';

/** The SDK loads the payload converter by path with Node's own loader, which must know TypeScript. */
const TYPESCRIPT_BY_PATH = ['--import', 'tsx'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**'],
          execArgv: TYPESCRIPT_BY_PATH,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/integration/global-setup.ts'],
          // Every file has servers of its own and waits for them most of the time; more at once would starve one another.
          maxWorkers: 2,
          execArgv: TYPESCRIPT_BY_PATH,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
