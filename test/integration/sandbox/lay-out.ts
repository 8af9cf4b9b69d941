import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ProcessEnd } from '../../../src/activities/sandbox/run-process.ts';
import type { LaunchRequest, Sandbox } from '../../../src/activities/sandbox/sandbox.ts';

/** Two folders of a run, and a third that is none of its business; all are gone when the test has finished. */
export type LaidOut = Readonly<{ projectDir: string; runDir: string; outsideDir: string }>;

export type Program = Readonly<{ language: keyof typeof LANGUAGES; code: string; args?: readonly string[] }>;

const LANGUAGES = {
  node: { file: process.execPath, name: 'program.mjs' },
  python: { file: '/usr/bin/python3', name: 'program.py' },
} as const;

export const ENVIRONMENT = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' };

export async function layOut(files: Readonly<Record<string, string>> = {}): Promise<LaidOut> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'q-hostile-')));
  onTestFinished(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
  const folders = {
    projectDir: join(root, 'project'),
    runDir: join(root, 'run'),
    outsideDir: join(root, 'outside'),
  };
  for (const folder of Object.values(folders)) await mkdir(folder);
  for (const [path, content] of Object.entries(files)) {
    const file = join(folders.projectDir, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return folders;
}

/** Runs a program in a project of its own; by default for at most 20 s. */
export async function runIn(
  sandbox: Sandbox,
  { projectDir, runDir }: LaidOut,
  { language, code, args = [] }: Program,
  request: Partial<LaunchRequest> = {},
): Promise<ProcessEnd & Readonly<{ text: string }>> {
  const { file, name } = LANGUAGES[language];
  await writeFile(join(projectDir, name), code);
  const end = await sandbox.launch({
    ...{ file, args: [name, ...args], projectDir, runDir, readOnly: [], env: ENVIRONMENT },
    ...{ timeoutMs: 20_000, signal: new AbortController().signal, limitBytes: 1024 * 1024 },
    ...request,
  });
  return { ...end, text: end.stdout.toString('utf8') };
}

/** The processes of this machine that have a text in their command line, and begin it so. */
export async function processesWith(text: string, ...begin: readonly string[]): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, index) => lines[index]?.includes(text) && lines[index].startsWith(begin.join('\0')));
}
