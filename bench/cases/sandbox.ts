import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noSandbox, type Sandbox } from '../../src/activities/sandbox/sandbox.ts';
import { bubblewrap } from '../../src/compose/sandbox.ts';
import { median, percentile } from '../statistics.ts';

type Start = Readonly<{ p50Ms: number; p95Ms: number }>;

/** From the wish to run `/bin/true` to its end, one at a time; `plain` is the same as a plain child process. */
export type SandboxStart = Readonly<{ rounds: number; plain: Start; sandbox: Start }> | Readonly<{ absent: string }>;

const WARM_UP = 3;

export async function measureSandbox(rounds: number, log: (line: string) => void): Promise<SandboxStart> {
  const opened = await bubblewrap(log);
  if (!('sandbox' in opened)) return { absent: opened.absent };
  const plain = await measure(noSandbox(false), rounds);
  return { rounds, plain, sandbox: await measure(opened.sandbox, rounds) };
}

async function measure(sandbox: Sandbox, rounds: number): Promise<Start> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'q-bench-sandbox-')));
  const [projectDir, runDir] = [join(folder, 'project'), join(folder, 'run')];
  const took: number[] = [];
  try {
    await mkdir(projectDir);
    await mkdir(runDir);
    for (let n = 0; n < WARM_UP + rounds; n += 1) {
      const startedAtMs = performance.now();
      const { exitCode } = await sandbox.launch({
        ...{ file: '/bin/true', args: [], projectDir, runDir, readOnly: [], env: { PATH: '/usr/bin:/bin' } },
        ...{ timeoutMs: 10_000, signal: new AbortController().signal, limitBytes: 1024 },
      });
      if (exitCode !== 0) throw new Error(`/bin/true ended with ${exitCode} (${sandbox.kind})`);
      if (n >= WARM_UP) took.push(performance.now() - startedAtMs);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { p50Ms: median(took), p95Ms: percentile(took, 95) };
}
