import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import type { PublishTarget } from '../../../src/release-settings.ts';

/**
 * A process that makes a release and is killed at a moment: `node killed-publisher.mjs <JSON>`, compiled. The steps that
 * only the file system sees are met by replacing its functions before anything else is loaded.
 */
export type Killing = Readonly<{
  dir: string;
  input: object;
  target: PublishTarget;
  at:
    | 'exporting'
    | 'storing'
    | 'tagged'
    | 'before the name'
    | 'after the name'
    | 'recorded'
    | 'before the end'
    | 'never';
}>;

const given = JSON.parse(process.argv[2] ?? '') as Killing;
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

const { rename } = fsPromises;
/** The record is written before the first step, and again when all are done. */
let records = 0;
fsPromises.rename = async (from, to) => {
  const isRelease =
    String(from).includes('/.new-a') && !String(to).includes('.records') && !String(to).includes('.undone-');
  const isRecord = String(to).endsWith('.json') && String(to).includes('.records');
  if (isRecord) records += 1;
  if (isRelease && given.at === 'before the name') die();
  if (isRecord && records === 2 && given.at === 'before the end') die();
  await rename(from, to);
  if (isRelease && given.at === 'after the name') die();
  if (isRecord && given.at === 'recorded') die();
};
syncBuiltinESMExports();

const { openPress, FACTS } = await import('./press-fixture.ts');
const { createReleases } = await import('../../../src/activities/release/release.ts');
const { settings, store, workspaces } = openPress(given.dir, given.target);
const releases = createReleases({
  ...settings,
  store: {
    ...store,
    put: async (content) => {
      const kept = await store.put(content);
      if (given.at === 'storing') die();
      return kept;
    },
  },
  workspaces: {
    ...workspaces,
    exportTree: async (at) => {
      await workspaces.exportTree(at);
      if (given.at === 'exporting') die();
    },
    setTag: async (at) => {
      await workspaces.setTag(at);
      if (given.at === 'tagged') die();
    },
  },
});
const signal = new AbortController().signal;
await releases.make({ ...(given.input as Parameters<typeof releases.make>[0]), facts: FACTS, signal });
