import { DefaultLogger, Runtime } from '@temporalio/worker';

/**
 * The SDK's runtime is one per process, and test files share processes: whoever is first would decide what is logged, and
 * the next to install one would fail. Attempts that fail are part of many tests, so only errors are told.
 */
const INSTALLED = Symbol.for('quiet-runtime');

if (!Reflect.has(globalThis, INSTALLED)) {
  Reflect.set(globalThis, INSTALLED, true);
  Runtime.install({ logger: new DefaultLogger('ERROR') });
}
