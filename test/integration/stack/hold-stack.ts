/** Holds a stack until it is told to stop: the parent process that the tests kill. Prints its ids once it is up. */
import { startStack } from '../../../src/stack/stack.ts';

const [dataDir = '', cacheDir = ''] = process.argv.slice(2);
const log = (line: string): void => console.error(line);
const stack = await startStack({ dataDir, cacheDir, searchAttributes: { BuildState: 'Keyword' }, log });
const alive = setInterval(() => undefined, 1000);
process.once('SIGINT', () => {
  clearInterval(alive);
  stack.stop().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
});
// Last: whoever reads it may send the signal at once.
console.log(
  JSON.stringify({
    databaseUrl: stack.databaseUrl,
    address: stack.temporal.address,
    servers: [stack.embedded.postgresPid(), stack.embedded.temporalPid()],
  }),
);
