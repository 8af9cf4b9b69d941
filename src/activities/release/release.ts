import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspaces } from '../workspace/workspaces.ts';
import { safeName } from './safe-name.ts';

/** A file of a release; the path is relative to the release's `files` folder. */
export type ReleaseFile = Readonly<{ path: string; sha256: string; bytes: number }>;

export type Release = Readonly<{
  /** The release's folder: `release.json`, and the product below `files`. */
  path: string;
  version: string;
  files: readonly ReleaseFile[];
  tag: string;
}>;

type ReleaseWorkspaces = Pick<Workspaces, 'exportTree' | 'listFiles' | 'treeOf' | 'setTag' | 'removeTag'>;

export type ReleaseKey = Readonly<{
  workspaces: ReleaseWorkspaces;
  releasesDir: string;
  workflowId: string;
  buildId: string;
  projectId: string;
  /** The deployment attempt: a build has one release per attempt. */
  attempt: number;
  signal: AbortSignal;
}>;

export type ReleaseInput = ReleaseKey &
  Readonly<{
    commit: string;
    version: string;
    notes: string;
    /** When the release is made, ms since 1970. */
    atMs: number;
  }>;

type Manifest = Readonly<{
  build_id: string;
  workflow_id: string;
  project_id: string;
  version: string;
  commit: string;
  tree: string;
  tag: string;
  attempt: number;
  made_at: string;
  notes: string;
  files: readonly ReleaseFile[];
}>;

const MANIFEST = 'release.json';

/**
 * Publishes a commit as a folder and a git tag. A second call for the same build, attempt and commit changes nothing and
 * returns the first release, whatever version it names; another commit (after a reset) replaces the release.
 *
 * @throws AppError `workspace_failed`; the signal's reason when aborted. Nothing half-made is ever seen under its name.
 */
export async function makeRelease(input: ReleaseInput): Promise<Release> {
  const { workspaces, workflowId, signal } = input;
  const made = await findReleases(input);
  const same = made.find(({ manifest }) => manifest.commit === input.commit);
  if (same === undefined && made.length > 0) await undoRelease(input);
  const { path, manifest } = same ?? (await writeRelease(input));
  // Also for a release found: the first call may have been killed before its tag was set.
  await workspaces.setTag({ workflowId, commit: manifest.commit, name: manifest.tag, signal });
  return { path, version: manifest.version, files: manifest.files, tag: manifest.tag };
}

/** Takes the release of a build's attempt back, folder and tag. Safe to repeat, and when there is none. */
export async function undoRelease(key: ReleaseKey): Promise<void> {
  const { workspaces, workflowId, signal } = key;
  for (const { path, name } of await findFolders(key)) {
    // The folder names the tag: it goes last, so that a call cut off in between can be repeated.
    await workspaces.removeTag({ workflowId, name: `release/${name}`, signal });
    const doomed = join(buildFolder(key), `.undone-${randomUUID()}`);
    await rename(path, doomed);
    await rm(doomed, { recursive: true, force: true });
  }
}

async function writeRelease(input: ReleaseInput): Promise<{ path: string; manifest: Manifest }> {
  const { workspaces, workflowId, commit, signal } = input;
  const folder = buildFolder(input);
  const name = `${safeName(input.version)}-a${input.attempt}`;
  const path = join(folder, name);
  const temporary = join(folder, `.new-${randomUUID()}`);
  try {
    const filesDir = join(temporary, 'files');
    await mkdir(filesDir, { recursive: true });
    await workspaces.exportTree({ workflowId, commit, intoDir: filesDir, signal });
    const manifest: Manifest = {
      build_id: input.buildId,
      workflow_id: workflowId,
      project_id: input.projectId,
      version: input.version,
      commit,
      tree: await workspaces.treeOf({ workflowId, commit, signal }),
      tag: `release/${name}`,
      attempt: input.attempt,
      made_at: new Date(input.atMs).toISOString(),
      notes: input.notes,
      files: await describeFiles(input, filesDir),
    };
    await writeFile(join(temporary, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    signal.throwIfAborted();
    await rename(temporary, path);
    return { path, manifest };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function describeFiles(input: ReleaseInput, filesDir: string): Promise<ReleaseFile[]> {
  const { workspaces, workflowId, commit, signal } = input;
  const described: ReleaseFile[] = [];
  for (const { path } of await workspaces.listFiles({ workflowId, commit, signal })) {
    const content = await readFile(join(filesDir, path));
    described.push({ path, sha256: createHash('sha256').update(content).digest('hex'), bytes: content.length });
  }
  return described;
}

async function findReleases(key: ReleaseKey): Promise<{ path: string; manifest: Manifest }[]> {
  const found = await findFolders(key);
  return await Promise.all(
    found.map(async ({ path }) => ({
      path,
      // Ours alone: it is complete before the folder gets its name, and lies outside the product's files.
      manifest: JSON.parse(await readFile(join(path, MANIFEST), 'utf8')) as Manifest,
    })),
  );
}

async function findFolders(key: ReleaseKey): Promise<{ path: string; name: string }[]> {
  const folder = buildFolder(key);
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => !name.startsWith('.') && name.endsWith(`-a${key.attempt}`))
    .map((name) => ({ path: join(folder, name), name }));
}

function buildFolder(key: ReleaseKey): string {
  return join(key.releasesDir, safeName(key.projectId), safeName(key.buildId));
}
