import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isAlive } from '../../src/stack/process-identity.mjs';
import { type RunOptions, run } from '../../src/stack/run-command.ts';
import { waitUntil } from '../../src/stack/wait-until.ts';
import { tempFolder } from './temp-folder.ts';

/** A shell that has started another process, and what became of both. */
function runFamily(onInterrupt: string, options: Partial<RunOptions>) {
  const file = join(tempFolder(), 'pids');
  const script = `trap '${onInterrupt}' INT; sleep 1000 & echo "$$ $!" > "$1.new"; mv "$1.new" "$1"; wait; wait`;
  const result = run('sh', ['-c', script, 'sh', file], { deadlineMs: 60_000, ...options });
  const pids = async (): Promise<number[]> => {
    await waitUntil(() => existsSync(file), 10_000);
    return readFileSync(file, 'utf8').trim().split(' ').map(Number);
  };
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
    expect(await waitUntil(() => !started.some(isAlive), 5_000)).toBe(true);
  });

  it('whose signal was aborted before is not run to its end', async () => {
    const { result } = runFamily('exit 0', { signal: AbortSignal.abort() });
    expect(await result).toMatchObject({ code: null });
  });

  it('past its deadline ends with all that it has started', async () => {
    const { result, pids } = runFamily('exit 0', { deadlineMs: 1_000 });
    const started = await pids();
    expect(await result).toMatchObject({ code: null, timedOut: true });
    expect(await waitUntil(() => !started.some(isAlive), 5_000)).toBe(true);
  });
});
