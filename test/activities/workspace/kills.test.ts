import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AttemptCommit } from '../../../src/activities/workspace/workspaces.ts';
import { type CompiledProgram, compileProgram } from '../../compiled-program.ts';
import {
  attempt,
  attemptInput,
  type Machines,
  openMachines,
  NEVER as signal,
  WORKFLOW_ID as workflowId,
} from './fixture.ts';

type Told = AttemptCommit & Readonly<{ attempt: number }>;

let program: CompiledProgram;
beforeAll(async () => {
  program = await compileProgram(new URL('committing-process.ts', import.meta.url));
});
afterAll(() => program.remove());

let machines: Machines;
let children: ChildProcess[] = [];
beforeEach(async () => {
  machines = await openMachines();
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await machines.remove();
});

/**
 * The git processes that work on our repository, by their command, or as git's own helpers by their environment. They lead
 * process groups of their own and outlive who started them.
 */
async function gitsAtWork(): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const marks = [`--git-dir=${machines.repository}`, `GIT_DIR=${machines.repository}`];
  const found = await Promise.all(
    pids.map(async (pid) => {
      const files = ['cmdline', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => ''));
      const told = (await Promise.all(files)).join('\0');
      return marks.some((mark) => told.includes(mark)) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Has a process commit attempts and kills it, and the git that works for it or not, some time after its first words. */
async function commitUntilKilled(from: Told | null, afterMs: number, whom: 'both' | 'process'): Promise<Told[]> {
  const args = [program.path, join(machines.dir, 'first'), join(machines.dir, 'artifacts')];
  const last = from === null ? ['1'] : [String(from.attempt + 1), from.commit, from.bundle];
  const child = spawn(process.execPath, [...args, ...last], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const told: Told[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'ready') {
      told.push(JSON.parse(line) as Told);
      continue;
    }
    void pause(afterMs).then(async () => {
      const gits = whom === 'both' ? await gitsAtWork() : [];
      child.kill('SIGKILL');
      for (const pid of gits) killed(pid);
    });
  }
  return told;
}

/** As if more time had passed than a lock's owner can live: what a killed git left is then nobody's. */
async function letTimePass(): Promise<void> {
  while ((await gitsAtWork()).length > 0) await pause(5);
  const entries = await readdir(machines.repository, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (entry.name.endsWith('.lock')) await utimes(join(entry.parentPath, entry.name), 1, 1);
  }
}

const isPresent = (): Promise<boolean> =>
  readdir(machines.repository).then(
    () => true,
    () => false,
  );

describe.skipIf(process.platform !== 'linux')('whatever is killed at whatever moment', () => {
  // From before the repository is made to the middle of the second or third attempt.
  test.each([
    ['both', [0, 15, 30, 45, 60, 80, 120]],
    ['process', [25, 50, 90]],
  ] as const)('(%s), every branch leads to a whole commit and the next attempt works', async (whom, moments) => {
    let last: Told | null = null;
    // An attempt moves the branch to the commit that it builds on, which was told before the attempt began.
    const committed = new Set(['']);
    for (const moment of moments) {
      const told: Told[] = await commitUntilKilled(last, moment, whom);
      last = told.at(-1) ?? last;
      for (const { commit } of told) committed.add(commit);
      if (await isPresent()) {
        await letTimePass();
        expect(machines.show('fsck', '--strict', '--no-dangling')).toBe('');
        const branch = machines.show('for-each-ref', '--format=%(objectname)', 'refs/heads/build');
        expect(committed).toContain(branch);
      }
      const number: number = (last?.attempt ?? 0) + 1;
      const on = { base: last?.commit ?? null, bundle: last?.bundle, advanceTo: last?.commit ?? null };
      const next = await machines
        .another('first')
        .commitAttempt(
          attemptInput({ ...on, attempt: attempt(number), files: [{ path: 'after', content: `${moment}` }] }),
        );
      if (last !== null) expect(machines.show('rev-parse', 'refs/heads/build')).toBe(last.commit);
      last = { ...next, attempt: number };
      committed.add(next.commit);
    }
    const { commit, bundle } = last as Told;
    const { files } = await machines
      .another('second')
      .readFiles({ workflowId, commit, bundle, limitBytes: 1e6, signal });
    expect(files.find(({ path }) => path === 'after')?.content).toBe(String(moments.at(-1)));
  });
});

describe('what a kill leaves behind', () => {
  test('is removed by the next process once it is old, and left alone while it may be in use', async () => {
    await machines.workspaces.commitAttempt(attemptInput());
    const root = join(machines.dir, 'first');
    const leftovers = [
      join(root, '.new-1234'),
      join(root, '.source-1234.git'),
      join(machines.repository, 'tmp-abcdef'),
      join(machines.repository, 'index-1234'),
      join(machines.repository, 'fast_import_crash_4242'),
      join(machines.repository, 'objects', 'pack', 'tmp_pack_Abc'),
    ];
    const young = join(machines.repository, 'tmp-young');
    for (const path of [...leftovers, young]) await mkdir(path);
    for (const path of leftovers) await utimes(path, 1, 1);
    await writeFile(join(machines.dir, 'artifacts', 'unfinished', 'old'), 'x');
    await utimes(join(machines.dir, 'artifacts', 'unfinished', 'old'), 1, 1);
    await machines.another('first').commitAttempt(attemptInput({ attempt: attempt(2) }));
    const left = [
      ...(await readdir(root)),
      ...(await readdir(machines.repository)),
      ...(await readdir(join(machines.repository, 'objects', 'pack'))),
    ];
    for (const path of leftovers) expect(left).not.toContain(path.split('/').at(-1));
    expect(left).toContain('tmp-young');
  });
});
