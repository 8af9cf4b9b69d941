import { openBubblewrap } from '../../../src/activities/sandbox/open-bubblewrap.ts';

/** A worker of its own, to be killed: says that it begins, and runs a program. Arguments: project, run folder, the program's. */
const [projectDir = '', runDir = '', ...args] = process.argv.slice(2);
const { signal } = new AbortController();
const opened = await openBubblewrap(signal);
if (!('sandbox' in opened)) throw new Error(opened.absent);
process.send?.('launching');
await opened.sandbox.launch({
  ...{ file: process.execPath, args, projectDir, runDir, readOnly: [], env: { PATH: '/usr/bin:/bin' } },
  ...{ timeoutMs: 100_000, signal, limitBytes: 1000 },
});
