import { copyFile, link, mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AppError } from '../../errors.ts';
import { type BubblewrapSettings, createBubblewrap } from './bubblewrap.ts';
import type { Mounted } from './bubblewrap-arguments.ts';
import { findCgroups } from './cgroups.ts';
import { leftBehind } from './left-behind.ts';
import { isReachable } from './reachable.ts';
import { toolPath } from './run-process.ts';
import type { Sandbox } from './sandbox.ts';
import { findTools, systemPaths } from './sandbox-tools.ts';

/** A sandbox that was seen to work, with how total memory is limited in it; or why there is none. */
export type OpenedBubblewrap =
  | Readonly<{ sandbox: Sandbox; memoryLimit: string }>
  | Readonly<{ absent: string; missingPackages: readonly string[] }>;

const PROBE_TIMEOUT_MS = 10_000;

/** Looks for what a sandbox needs, and tries it: that bubblewrap is installed does not say that it may do its work. */
export async function openBubblewrap(signal: AbortSignal): Promise<OpenedBubblewrap> {
  if (process.platform !== 'linux') {
    return { absent: `bubblewrap is for Linux, and this is ${process.platform}`, missingPackages: [] };
  }
  const tools = await findTools();
  if ('missing' in tools) {
    return { absent: `not installed: ${tools.missing.join(', ')}`, missingPackages: tools.missing };
  }
  await sweepFolders();
  const asRoot = process.getuid?.() === 0;
  const cgroups = await findCgroups();
  const settings: BubblewrapSettings = {
    ...{ tools, asRoot, cgroups },
    system: await systemPaths(),
    readOnly: [await nodeFor(asRoot)],
  };
  const sandbox = createBubblewrap(settings);
  const why = await probe(sandbox, signal);
  if (why !== null) return { absent: why, missingPackages: [] };
  return { sandbox, memoryLimit: cgroups?.description ?? 'each process alone, for want of a cgroup' };
}

/** A worker that was killed has left what came back of its last runs. */
async function sweepFolders(): Promise<void> {
  const left = leftBehind(await readdir(tmpdir()).catch(() => []));
  const folders = left.map((name) => join(tmpdir(), name));
  // Another user's, if it cannot be removed.
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }).catch(() => undefined)));
}

/** Null when a program ran in it. */
async function probe(sandbox: Sandbox, signal: AbortSignal): Promise<string | null> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'q-probe-')));
  const [projectDir, runDir] = [join(folder, 'project'), join(folder, 'run')];
  try {
    await mkdir(projectDir);
    await mkdir(runDir);
    const end = await sandbox.launch({
      // Node, which need not stand in a folder of the system.
      ...{ file: process.execPath, args: ['--version'], projectDir, runDir, readOnly: [] },
      ...{ env: { PATH: toolPath() }, timeoutMs: PROBE_TIMEOUT_MS, signal, limitBytes: 1024 },
    });
    if (end.exitCode === 0) return null;
    return `a trial run ended with ${end.exitCode ?? end.kind}: ${end.stdout.toString('utf8').trim()}`;
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof AppError ? String(error.cause) : error instanceof Error ? error.message : String(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Node with what belongs to it. As root, it may stand where a run's own user does not get to, below root's home: then the
 * program alone is made to stand, once, in the system's cache.
 */
async function nodeFor(asRoot: boolean): Promise<Mounted> {
  const program = process.execPath;
  const prefix = dirname(dirname(await realpath(program)));
  if (!asRoot || (await isReachable(program))) {
    return prefix === '/' ? { from: program, at: program } : { from: prefix, at: prefix };
  }
  const copy = join('/var/cache/q-orchestrator', `node-${process.version}-${process.arch}`);
  await mkdir(dirname(copy), { recursive: true, mode: 0o755 });
  await link(program, copy)
    .catch(() => copyFile(program, copy))
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' && error.code !== 'ETXTBSY') throw error;
    });
  return { from: copy, at: program };
}
