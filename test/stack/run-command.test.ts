import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isAlive } from '../../src/stack/process-identity.mjs';
import { type RunOptions, type RunResult, run } from '../../src/stack/run-command.ts';
import { eventually } from '../eventually.ts';
import { tempFolder } from './temp-folder.ts';

const HOUR_MS = 3_600_000;

/** A shell that has started another process, and what became of both. */
function runFamily(onInterrupt: string, options: Partial<RunOptions>) {
  const file = join(tempFolder(), 'pids');
  const script = `trap '${onInterrupt}' INT; sleep 1000 & echo "$$ $!" > "$1.new"; mv "$1.new" "$1"; wait; wait`;
  const result = run('sh', ['-c', script, 'sh', file], { deadlineMs: 60_000, ...options });
  const pids = (): Promise<number[]> => eventually(() => readFileSync(file, 'utf8').trim().split(' ').map(Number));
  return { result, pids };
}

describe('a command', () => {
  it('gives its exit code and what it wrote', async () => {
    const options = { deadlineMs: 60_000, input: 'in' };
    expect(await run('sh', ['-c', 'cat; echo out; echo err >&2; exit 3'], options)).toMatchObject({
      code: 3,
      output: expect.stringMatching(/^in(out\nerr|err\nout)\n$/),
      timedOut: false,
    });
  });

  it('gives what was written when it had ended, as long as its streams are open, but not for long', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const late = await run('sh', ['-c', 'sleep 0.2 && echo late & echo first'], { deadlineMs: HOUR_MS });
    expect(late).toEqual({ code: 0, output: 'first\nlate\n', timedOut: false });

    let ended: RunResult | undefined;
    void run('sh', ['-c', 'sleep 1000 & echo $!'], { deadlineMs: HOUR_MS }).then((result) => {
      ended = result;
    });
    const { code, output } = await eventually(() => ended ?? Promise.reject(new Error('it waits')));
    expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^\d+\n$/) });
    process.kill(Number(output), 'SIGKILL');
  });

  it('that does not exist is a result too', async () => {
    expect(await run('/missing/command', [], { deadlineMs: 60_000 })).toMatchObject({ code: null, timedOut: false });
  });

  it.each([
    ['may clean up first', 'echo cleaned; exit 0', 'cleaned\n'],
    ['is killed when it will not end', '', ''],
  ])('that is aborted ends with all that it has started, and %s', async (_, onInterrupt, output) => {
    const abort = new AbortController();
    const { result, pids } = runFamily(onInterrupt, { signal: abort.signal });
    const started = await pids();
    expect(started.filter(isAlive)).toHaveLength(2);
    abort.abort();
    expect(await result).toEqual({ code: null, output, timedOut: false });
    await eventually(() => expect(started.filter(isAlive)).toEqual([]));
  });

  it('whose signal was aborted before is not run to its end', async () => {
    const { result } = runFamily('exit 0', { signal: AbortSignal.abort() });
    expect(await result).toMatchObject({ code: null });
  });

  it('past its deadline ends with all that it has started', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { result, pids } = runFamily('exit 0', { deadlineMs: HOUR_MS });
    const started = await pids();
    vi.advanceTimersByTime(HOUR_MS);
    expect(await result).toMatchObject({ code: null, timedOut: true });
    await eventually(() => expect(started.filter(isAlive)).toEqual([]));
  });
});
