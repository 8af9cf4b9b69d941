import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { leftBehind, ownPrefix } from './left-behind.ts';

/** What all processes of one run may take together. */
export type CgroupLimits = Readonly<{ memoryBytes: number; processes: number }>;

/** A run's own control groups. */
export type Cgroup = Readonly<{
  /** A process that writes 0 into each of them is limited from then on, with all that it starts. */
  joinFiles: readonly string[];
  /** Removes the groups; their processes must have been ended. Never throws. */
  close(): Promise<void>;
}>;

export type Cgroups = Readonly<{
  /** For people: what is limited, and by which version. */
  description: string;
  open(limits: CgroupLimits): Promise<Cgroup>;
}>;

type Setting = Readonly<{ file: string; value: (limits: CgroupLimits) => number | string; optional?: boolean }>;
/**
 * `joinFile`: a thread that enters by itself, as version 1 has it, waits for nobody; a whole process waits for a lock of the
 * kernel that a busy machine gives only after 10 ms and more (measured).
 */
type Place = Readonly<{ dir: string; settings: readonly Setting[]; joinFile: 'tasks' | 'cgroup.procs' }>;

const V1_MEMORY: readonly Setting[] = [
  { file: 'memory.limit_in_bytes', value: ({ memoryBytes }) => memoryBytes },
  // Memory and swap together; only where the kernel counts swap.
  { file: 'memory.memsw.limit_in_bytes', value: ({ memoryBytes }) => memoryBytes, optional: true },
];
const PIDS: Setting = { file: 'pids.max', value: ({ processes }) => processes };
const V2: readonly Setting[] = [
  { file: 'memory.max', value: ({ memoryBytes }) => memoryBytes },
  { file: 'memory.swap.max', value: () => 0, optional: true },
  PIDS,
];

/** Pauses between the tries to remove a group: nearly always the first few are enough. */
const CLOSE_PAUSES_MS = [1, 2, 2, 5, 5, 10, 10, 25, 50, 100, 200, 400, 800];

/**
 * The control groups of this machine in which this process may make others: those of version 1 that limit memory and
 * processes, or those of version 2. Null where there are none that can be written. Groups that a killed worker left behind
 * are removed.
 *
 * @param root where they are mounted
 * @param own in which groups this process is, as `/proc/self/cgroup` tells
 */
export async function findCgroups(root = '/sys/fs/cgroup', own?: string): Promise<Cgroups | null> {
  const text = own ?? (await readFile('/proc/self/cgroup', 'utf8').catch(() => ''));
  const places = await placesOf(root, text);
  if (places === null) return null;
  const cgroups: Cgroups = {
    description: places.length > 1 ? 'cgroups of version 1' : 'a cgroup of version 2',
    open: (limits) => open(places, limits),
  };
  for (const { dir } of places) await sweep(dir);
  // Only a try tells: a folder may look writable and be no place for a group.
  const tried = await cgroups.open({ memoryBytes: 64 * 1024 * 1024, processes: 16 }).catch(() => null);
  await tried?.close();
  return tried === null ? null : cgroups;
}

async function placesOf(root: string, text: string): Promise<Place[] | null> {
  const own = (controller: string): string | undefined => new RegExp(`^\\d+:${controller}:(/.*)$`, 'm').exec(text)?.[1];
  const [memory, pids, unified] = [own('memory'), own('pids'), own('')];
  if (memory !== undefined && pids !== undefined) {
    return [
      { dir: await ownOrMount(join(root, 'memory'), memory), settings: V1_MEMORY, joinFile: 'tasks' },
      { dir: await ownOrMount(join(root, 'pids'), pids), settings: [PIDS], joinFile: 'tasks' },
    ];
  }
  const dir = unified === undefined ? null : await handsOnControllers(root, unified);
  return dir === null ? null : [{ dir, settings: V2, joinFile: 'cgroup.procs' }];
}

/** In a container the path is that of the host, which is not there: its own group is then what is mounted. */
async function ownOrMount(mount: string, path: string): Promise<string> {
  const dir = join(mount, path);
  return (await exists(dir)) ? dir : mount;
}

/** The nearest group above that lets its children limit memory and processes: one that has processes itself may not. */
async function handsOnControllers(root: string, path: string): Promise<string | null> {
  const parts = path.split('/').filter((part) => part !== '');
  for (let depth = parts.length; depth >= 0; depth -= 1) {
    const dir = join(root, ...parts.slice(0, depth));
    const handed = await readFile(join(dir, 'cgroup.subtree_control'), 'utf8').catch(() => '');
    const controllers = handed.trim().split(/\s+/);
    if (controllers.includes('memory') && controllers.includes('pids')) return dir;
  }
  return null;
}

let opened = 0;

async function open(places: readonly Place[], limits: CgroupLimits): Promise<Cgroup> {
  opened += 1;
  const name = `${ownPrefix}${opened}`;
  const made: string[] = [];
  const joinFiles: string[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(made.map(remove));
  };
  try {
    for (const { dir, settings, joinFile } of places) {
      const group = join(dir, name);
      await mkdir(group);
      made.push(group);
      joinFiles.push(join(group, joinFile));
      for (const { file, value, optional } of settings) {
        const written = writeFile(join(group, file), String(value(limits)), { flag: 'r+' });
        await (optional === true ? written.catch(() => undefined) : written);
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { joinFiles, close };
}

/** A process that was killed stays in its group until it has been reaped: soon, but not at once. */
async function remove(group: string): Promise<void> {
  for (const pauseMs of CLOSE_PAUSES_MS) {
    const gone = await rmdir(group).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    );
    if (gone) return;
    await sleep(pauseMs);
  }
}

async function sweep(dir: string): Promise<void> {
  const left = leftBehind(await readdir(dir).catch(() => []));
  // A group with processes in it cannot be removed.
  await Promise.all(left.map((name) => rmdir(join(dir, name)).catch(() => undefined)));
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
