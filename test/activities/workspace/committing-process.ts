/** Commits attempts one after the other until it is killed; tells each on a line of its own. */
import { createWorkspaces } from '../../../src/activities/workspace/workspaces.ts';
import { createFolderStore } from '../../../src/artifacts/artifact-store.ts';
import { attempt, attemptInput } from './fixture.ts';

const [rootDir = '', artifactsDir = '', firstAttempt = '1', base, bundle] = process.argv.slice(2);
const workspaces = createWorkspaces({ rootDir, store: createFolderStore(artifactsDir) });
let last = base === undefined ? null : { commit: base, bundle };
console.log('ready');
for (let n = Number(firstAttempt); n < 1000; n += 1) {
  const files = Array.from({ length: 40 }, (_, f) => ({ path: `f${f}.js`, content: `${n} ${f}\n`.repeat(200) }));
  const on = { base: last?.commit ?? null, bundle: last?.bundle, advanceTo: last?.commit ?? null };
  last = await workspaces.commitAttempt(attemptInput({ ...on, attempt: attempt(n), files }));
  console.log(JSON.stringify({ ...last, attempt: n }));
}
