#!/usr/bin/env node
/** The command `q-orchestrator`, also where nothing was installed yet: src/cli.ts in the caller's folder. */
process.argv.splice(2, 0, '--here', 'src/cli.ts');
await import('./run.mjs');
