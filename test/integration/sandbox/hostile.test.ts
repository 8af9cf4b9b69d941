import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findCgroups } from '../../../src/activities/sandbox/cgroups.ts';
import { openBubblewrap } from '../../../src/activities/sandbox/open-bubblewrap.ts';
import { noSandbox } from '../../../src/activities/sandbox/sandbox.ts';
import { compileProgram } from '../../compiled-program.ts';
import { until } from '../fixtures/builds.ts';
import { realSandbox } from '../fixtures/sandbox.ts';
import { ATTACKS } from './attacks.ts';
import { layOut, type Program, processesWith, runIn } from './lay-out.ts';

/** Each attack is also made without the sandbox: what does not work there says nothing about the sandbox. */
const sandbox = await realSandbox();
const control = noSandbox(true);
const cannotRun = sandbox.kind === 'none';
/** Room for the attacks that take memory where nothing holds them. */
const ROOMY = freemem() > 4 * 1024 ** 3;
/** Without control groups each process is limited, and not all of them together. */
const LIMITS_ALL = (await findCgroups()) !== null;

describe.skipIf(cannotRun)('a hostile program', () => {
  const attacks = Object.entries(ATTACKS)
    .filter(([name]) => ROOMY || !name.includes('2 GB'))
    .filter(([name]) => LIMITS_ALL || !name.includes('in several processes'));

  it.each(attacks)('that %s does so without a sandbox, and not within', async (_, prepare) => {
    for (const [place, works] of [
      [control, true],
      [sandbox, false],
    ] as const) {
      const at = await layOut();
      const { program, worked } = await prepare(at);
      const { text } = await runIn(place, at, program);
      expect(await worked(text), `${place.kind}: ${text.slice(-500)}`).toBe(works);
    }
  });

  const ENDLESS: Readonly<Record<string, Program>> = {
    'computes for ever': { language: 'node', code: 'for (;;) {}' },
    'waits for ever': { language: 'node', code: 'setInterval(() => undefined, 1000);' },
    'waits for ever and hears no signal': {
      language: 'python',
      code: 'import signal, time\nfor one in range(1, 32):\n  if one not in (9, 19): signal.signal(one, signal.SIG_IGN)\ntime.sleep(1000)',
    },
  };

  it.each(Object.entries(ENDLESS))('that %s is ended in time, as it is not without', async (_, program) => {
    const at = await layOut();
    const end = await runIn(sandbox, at, program, { timeoutMs: 1000 });
    expect(end.kind).toBe('deadline');
    const free = spawn(...commandOf(program), { stdio: 'ignore' });
    onTestFinished(() => void free.kill('SIGKILL'));
    await sleep(1500);
    expect(free.exitCode ?? free.signalCode).toBeNull();
  });

  it('that writes without end is stopped, though only the end of it would be kept', async () => {
    const program: Program = { language: 'python', code: "while True: print('x' * 100_000)" };
    expect(await runIn(control, await layOut(), program, { timeoutMs: 2000 })).toMatchObject({ kind: 'deadline' });
    expect(await runIn(sandbox, await layOut(), program)).toMatchObject({ kind: 'overflow' });
  });

  it('that leaves a daemon behind leaves it without a sandbox, and not within', async () => {
    const outlives = async (place: typeof sandbox): Promise<boolean> => {
      const mark = `daemon-${process.hrtime.bigint()}`;
      const code = `
        import { spawn } from 'node:child_process';
        const wait = 'setTimeout(() => undefined, 30000)';
        spawn(process.execPath, ['-e', wait, '${mark}'], { detached: true, stdio: 'ignore' }).unref();`;
      await runIn(place, await layOut(), { language: 'node', code, args: [] });
      const left = await processesWith(mark);
      for (const pid of left) process.kill(pid, 'SIGKILL');
      return left.length > 0;
    };
    expect(await outlives(control)).toBe(true);
    expect(await outlives(sandbox)).toBe(false);
  });

  it('is gone when the worker that runs it is killed at whatever moment, and the next one removes what it left', async () => {
    const launcher = await compileProgram(new URL('./launch-forever.ts', import.meta.url));
    onTestFinished(launcher.remove);
    // From before bubblewrap is there, over the moments in which not all are bound to one another, to the running program.
    for (const moment of [0, 3, 6, 9, 12, 15, 18, 21, 24, 30, null]) {
      const mark = `orphan-${process.hrtime.bigint()}`;
      const worker = await launchForever(launcher.path, mark);
      if (moment === null) {
        await until('the program', async () => (await processesWith(mark, process.execPath, '-e')).length > 0);
      } else await sleep(moment);
      const gone = once(worker, 'exit');
      worker.kill('SIGKILL');
      await gone;
      await until('the end of it', async () => (await processesWith(mark)).length === 0);
      const left = async (): Promise<string[]> =>
        (await readdir(tmpdir())).filter((name) => name.startsWith(`q-sandbox-${worker.pid}-`));
      if (moment === null) expect(await left()).toHaveLength(1);
      await openBubblewrap(new AbortController().signal);
      expect(await left()).toEqual([]);
    }
  });

  it('is gone with all that it started when its run is aborted', async () => {
    const mark = `aborted-${process.hrtime.bigint()}`;
    const code = `
      import { spawn } from 'node:child_process';
      spawn(process.execPath, ['-e', 'setTimeout(() => undefined, 30000)', '${mark}'], { detached: true });`;
    const abort = new AbortController();
    const run = runIn(sandbox, await layOut(), { language: 'node', code }, { signal: abort.signal });
    await until('the daemon', async () => (await processesWith(mark)).length > 0);
    abort.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    await until('its end', async () => (await processesWith(mark)).length === 0);
  });
});

/** A worker of its own that is about to run a program, which has the mark in its command line and never ends. */
async function launchForever(program: string, mark: string): Promise<ChildProcess> {
  const { projectDir, runDir } = await layOut();
  const args = [projectDir, runDir, '-e', 'setTimeout(() => undefined, 100_000)', mark];
  const worker = fork(program, args, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  onTestFinished(() => void worker.kill('SIGKILL'));
  await once(worker, 'message');
  return worker;
}

function commandOf({ language, code }: Program): [string, string[]] {
  return language === 'node' ? [process.execPath, ['-e', code]] : ['/usr/bin/python3', ['-c', code]];
}
