import { openBubblewrap } from '../../../src/activities/sandbox/open-bubblewrap.ts';

/** A worker of its own, to be killed: runs a program that waits for ever. Arguments: project, run folder, the program's. */
const [projectDir = '', runDir = '', ...args] = process.argv.slice(2);
const { signal } = new AbortController();
const opened = await openBubblewrap(signal);
if (!('sandbox' in opened)) throw new Error(opened.absent);
await opened.sandbox.launch({
  ...{ file: process.execPath, args, projectDir, runDir, readOnly: [], env: { PATH: '/usr/bin:/bin' } },
  ...{ timeoutMs: 100_000, signal, limitBytes: 1000 },
});
