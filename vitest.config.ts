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
          // Real servers on two cores: one file at a time, so that none starves another.
          globalSetup: ['test/integration/global-setup.ts'],
          fileParallelism: false,
          execArgv: TYPESCRIPT_BY_PATH,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
